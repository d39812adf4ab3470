//! Images in IDX files.

use burn_lr::mnist::Mnist;
use serde_json::{Value, json};

use super::{classes, json_lines, predict_with_run, test_images};

#[test]
fn images_of_an_idx_file_are_chosen_by_index_and_count() {
    let images = test_images();
    let (code, out, err) = predict_with_run(&["--json", &images]);
    assert_eq!(code, 0, "{err}");
    let all = json_lines(&out);
    assert_eq!(all.len(), 10_000);
    let labels = Mnist::bundled().unwrap().test.labels().to_vec();
    let right = classes(&all)
        .iter()
        .zip(&labels)
        .filter(|(a, b)| **a == u64::from(**b))
        .count();
    let (_, report, _) = predict_with_run(&["--json"]);
    let report: Value = serde_json::from_str(&report).unwrap();
    assert_eq!(report["accuracy"], json!(right as f64 / 10_000.0));

    let part = predict_with_run(&["--json", "--index", "1998", "--count", "3", &images]);
    // In another batch, a product may be summed in another order.
    let part = json_lines(&part.1);
    assert_eq!(classes(&part), classes(&all[1998..2001]));
    assert_eq!(part[0]["index"], 1998);
    let sum: f64 = part[0]["probabilities"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(Value::as_f64)
        .sum();
    assert!((sum - 1.0).abs() < 1e-12);

    let (_, text, _) = predict_with_run(&["--index", "9999", &images]);
    let expected = format!("{images}[9999]: {}, ", all[9999]["class"]);
    assert!(text.starts_with(&expected), "{text}");
    assert_eq!(text.lines().count(), 1);
}
