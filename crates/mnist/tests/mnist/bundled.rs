//! The data set in the repository.

use burn::data::dataset::Dataset;
use burn_lr_mnist::Mnist;

#[test]
fn the_bundled_files_are_the_originals() {
    let mnist = Mnist::bundled().unwrap();
    assert_eq!((mnist.train.len(), mnist.test.len()), (60_000, 10_000));
    assert_eq!(mnist.train.labels()[..5], [5, 0, 4, 1, 9]);
    assert_eq!(mnist.test.labels()[..5], [7, 2, 1, 0, 4]);
    let ink = |image: &[u8]| image.iter().map(|&pixel| u64::from(pixel)).sum::<u64>();
    assert_eq!(ink(mnist.train.pixels(0)), 27_525);
}
