use super::*;

/// 7 batches, the last of 2 samples.
const EPOCH: DataEpoch = DataEpoch {
    batches: 7,
    batch_size: Some(4),
    samples: 26,
};

fn ends(period: Period, extent: Extent, accumulation: u64) -> Vec<u64> {
    let periods = Periods::new(Some(period), extent, accumulation, Some(EPOCH)).unwrap();
    (0..=periods.count()).map(|k| periods.end(k)).collect()
}

#[test]
fn periods_cover_the_run_whether_they_divide_it_or_not() {
    let updates = |each, all| ends(Period::Updates(each), Extent::Updates(all), 1);
    assert_eq!(updates(3, 10), [0, 3, 6, 9, 10]);
    assert_eq!(updates(5, 10), [0, 5, 10]);
    assert_eq!(updates(50, 10), [0, 10]);
    assert_eq!(
        ends(Period::Updates(6), Extent::Epochs(2), 1),
        [0, 6, 12, 14]
    );
    assert_eq!(ends(Period::Updates(3), Extent::Epochs(2), 2), [0, 3, 6, 8]);
}

#[test]
fn shares_of_an_epoch_meet_its_end() {
    let of = |share, accumulation| ends(Period::Epochs(share), Extent::Epochs(2), accumulation);
    assert_eq!(of(0.25, 1), [0, 2, 4, 6, 7, 9, 11, 13, 14]);
    assert_eq!(of(1.0, 1), [0, 7, 14]);
    assert_eq!(of(1.0, 2), [0, 4, 8]);
    let seventh = of(1.0 / 7.0, 1);
    assert_eq!(seventh, (0..=14).collect::<Vec<_>>());
    assert_eq!(of(1.5, 1), [0, 11, 14]);
}

#[test]
fn samples_are_reached_by_the_update_that_brings_them() {
    // Sums of samples by update: 4, 8, .., 24, 26 and so on.
    let of = |each, all| ends(Period::Samples(each), Extent::Samples(all), 1);
    assert_eq!(of(26, 52), [0, 7, 14]);
    assert_eq!(of(10, 52), [0, 3, 5, 8, 11, 13, 14]);
    assert_eq!(of(4, 27), [0, 1, 2, 3, 4, 5, 6, 8]);
}

/// The ends of all periods of a run that has had some which ended so.
fn ends_after(period: Period, extent: Extent, before: &[u64]) -> Vec<u64> {
    let periods = Periods::new(Some(period), extent, 1, Some(EPOCH)).unwrap();
    let periods = periods.after(before.to_vec()).unwrap();
    (1..=periods.count()).map(|k| periods.end(k)).collect()
}

#[test]
fn a_period_that_was_cut_short_is_followed_by_what_is_left_of_it() {
    let of = |updates, before: &[u64]| {
        let ends = ends_after(Period::Updates(3), Extent::Updates(updates), before);
        assert_eq!(&ends[..before.len()], before);
        ends[before.len()..].to_vec()
    };
    assert_eq!(of(10, &[3, 6]), [9, 10]);
    assert_eq!(of(14, &[3, 6, 9, 10]), [12, 14]);
    assert_eq!(of(14, &[3, 6, 7, 9, 10]), [12, 14]);
    assert!(of(10, &[3, 6, 9, 10]).is_empty());
    for (ends, whole) in [
        (&[][..], true),
        (&[3, 6], true),
        (&[3, 6, 7], false),
        (&[3, 6, 7, 9], true),
        (&[3, 6, 7, 9, 11], false),
    ] {
        let periods = Periods::new(Some(Period::Updates(3)), Extent::Updates(20), 1, None);
        let periods = periods.unwrap().after(ends.to_vec()).unwrap();
        assert_eq!(periods.end_whole().unwrap(), whole, "{ends:?}");
    }
}

#[test]
fn periods_of_another_length_are_followed_by_those_of_the_data() {
    // After two epochs of 7, every 3 or a third of an epoch.
    let of = |period, before: &[u64]| ends_after(period, Extent::Epochs(3), before);
    assert_eq!(of(Period::Updates(3), &[7, 14]), [7, 14, 15, 18, 21]);
    let third = Period::Epochs(1.0 / 3.0);
    assert_eq!(of(third, &[7, 14]), [7, 14, 17, 19, 21]);
    assert_eq!(of(Period::Updates(40), &[7, 14]), [7, 14, 21]);
    // 60 samples are reached by update 16, 70 by update 19.
    assert_eq!(of(Period::Samples(10), &[7, 14]), [7, 14, 16, 19, 21]);
    // And epochs after periods: the one in which they end is finished.
    let epoch = Period::Epochs(1.0);
    for (before, expected) in [
        (&[3, 6][..], &[3, 6, 7, 14, 21][..]),
        (&[3, 7], &[3, 7, 14, 21]),
        (&[8, 9, 10, 11, 12, 13], &[8, 9, 10, 11, 12, 13, 14, 21]),
        (&[20], &[20, 21]),
        (&[21], &[21]),
    ] {
        assert_eq!(of(epoch, before), expected);
    }
}

#[test]
fn lengths_at_the_edge_of_an_update_and_of_numbers() {
    let one = |period, epoch| {
        let periods = Periods::new(Some(period), Extent::Epochs(2), 1, Some(epoch));
        periods.map(|periods| periods.count())
    };
    let batches = |batches, batch_size, samples| DataEpoch {
        batches,
        batch_size: Some(batch_size),
        samples,
    };
    for batches_of_one in 1..=60 {
        let epoch = batches(batches_of_one, 1, batches_of_one);
        let share = Period::Epochs(1.0 / batches_of_one as f64);
        assert_eq!(one(share, epoch).unwrap(), 2 * batches_of_one as usize);
    }
    // The only batch of an epoch is short.
    assert_eq!(one(Period::Samples(40), batches(1, 64, 40)).unwrap(), 2);
    for (period, updates) in [
        (Period::Samples(24), u64::MAX),
        (Period::Samples(24), u64::MAX / 4),
        (Period::Epochs(0.2), u64::MAX),
        (Period::Epochs(1.0), u64::MAX),
    ] {
        let periods = Periods::new(Some(period), Extent::Updates(updates), 1, Some(EPOCH));
        if let Err(error) = periods {
            assert!(matches!(error, TrainingError::Invalid { .. }), "{error:?}");
        }
    }
}

#[test]
fn what_cannot_be_is_refused_by_name() {
    let refused = |period, extent, epoch| {
        let Err(TrainingError::Invalid { name, .. }) = Periods::new(period, extent, 2, epoch)
        else {
            panic!("{period:?} of {extent:?}");
        };
        name
    };
    let updates = Extent::Updates(10);
    for period in [
        Period::Updates(0),
        Period::Samples(7),
        Period::Epochs(0.2),
        Period::Epochs(f64::NAN),
        Period::Epochs(f64::INFINITY),
        Period::Epochs(-1.0),
    ] {
        assert_eq!(refused(Some(period), updates, Some(EPOCH)), "every");
    }
    assert_eq!(
        refused(None, Extent::Updates(0), Some(EPOCH)),
        "max_updates"
    );
    let most = Extent::Samples(u64::MAX);
    assert!(Periods::new(None, most, 1, Some(EPOCH)).is_ok());
    let tiny = DataEpoch {
        samples: 1,
        batches: 3,
        batch_size: Some(1),
    };
    assert_eq!(refused(None, most, Some(tiny)), "max_samples");
    assert_eq!(
        refused(None, Extent::Epochs(usize::MAX), Some(EPOCH)),
        "epochs"
    );
    for period in [None, Some(Period::Samples(9)), Some(Period::Epochs(1.0))] {
        assert_eq!(refused(period, updates, None), "every");
    }
    let uncounted = DataEpoch {
        batch_size: None,
        ..EPOCH
    };
    assert_eq!(
        refused(Some(Period::Samples(90)), updates, Some(uncounted)),
        "every"
    );
    let all = Periods::new(Some(Period::Updates(1)), Extent::Updates(u64::MAX), 1, None);
    assert_eq!(all.unwrap().count() as u64, u64::MAX);
}
