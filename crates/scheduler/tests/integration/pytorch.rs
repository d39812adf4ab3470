//! Every rate equals PyTorch's: golden files written by `golden/pytorch.py`.

use burn_lr_scheduler::{
    Curve, LambdaLr, Mode, MultiplicativeLr, ReduceLrOnPlateau, Run, ScheduleConfig, Scheduler,
};
use burn_optim::lr_scheduler::LrScheduler;
use serde_json::Value;

/// The largest relative difference allowed.
const TOLERANCE: f64 = 1e-12;

fn cases(file: &str) -> Vec<Value> {
    let path = format!("{}/tests/golden/{file}.json", env!("CARGO_MANIFEST_DIR"));
    let golden: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(golden["torch"].as_str().unwrap().starts_with("2.15.0"));
    golden["cases"].as_array().unwrap().clone()
}

fn numbers(list: &Value) -> Vec<f64> {
    let numbers = list.as_array().unwrap().iter();
    numbers.map(|number| number.as_f64().unwrap()).collect()
}

/// All steps of a case with their rates.
fn rates(case: &Value) -> Vec<(u64, f64)> {
    let far = case["far"].as_array().into_iter().flatten();
    let far = far.map(|pair| (pair[0].as_u64().unwrap(), pair[1].as_f64().unwrap()));
    (0..).zip(numbers(&case["lrs"])).chain(far).collect()
}

fn assert_close(ours: f64, theirs: f64, place: &str) {
    let scale = if theirs == 0.0 { 1.0 } else { theirs };
    let difference = ((ours - theirs) / scale).abs();
    assert!(
        difference <= TOLERANCE,
        "{ours} instead of {theirs}, {difference:e} off: {place}"
    );
}

fn check(file: &str, schedule_of: impl Fn(&Value) -> ScheduleConfig) {
    let cases = cases(file);
    assert!(cases.len() >= 5);
    for case in cases {
        let curve = schedule_of(&case["schedule"])
            .curve(&Run::per_update())
            .unwrap();
        for (step, lr) in rates(&case) {
            assert_close(
                curve.lr(step),
                lr,
                &format!("step {step} of {}", case["schedule"]),
            );
        }
        check_momentums(&curve, &case);
    }
}

/// The momentums of the steps, where PyTorch sets any.
fn check_momentums(curve: &Curve, case: &Value) {
    let Some(momentums) = case.get("momentums") else {
        assert!(!curve.has_momentum(), "{}", case["schedule"]);
        return;
    };
    for (step, momentum) in (0..).zip(numbers(momentums)) {
        let place = format!("momentum of step {step} of {}", case["schedule"]);
        let ours = curve.momentum(step).unwrap_or(f64::NAN);
        assert!(
            (ours - momentum).abs() <= TOLERANCE,
            "{ours} instead of {momentum}: {place}"
        );
    }
}

fn from_document(document: &Value) -> ScheduleConfig {
    ScheduleConfig::from_json(&document.to_string()).unwrap()
}

macro_rules! equal_to_pytorch {
    ($($file:ident),* $(,)?) => {$(
        #[test]
        fn $file() {
            check(stringify!($file), from_document);
        }
    )*};
}

equal_to_pytorch!(
    step_lr,
    multi_step_lr,
    constant_lr,
    linear_lr,
    exponential_lr,
    polynomial_lr,
    cosine_annealing_lr,
    cosine_annealing_warm_restarts,
    cyclic_lr,
    one_cycle_lr,
    swa_lr,
    sequential_lr,
    chained_scheduler,
);

/// The closures of `golden/pytorch.py`, by the names they have there.
fn closure(name: &Value) -> impl Fn(u64) -> f64 + Send + Sync + 'static {
    let factor: fn(f64) -> f64 = match name.as_str().unwrap() {
        "power" => |t| 0.95_f64.powf(t),
        "inverse" => |t| 1.0 / (1.0 + 0.1 * t),
        "wave" => |t| 1.0 + 0.5 * (0.1 * t).sin(),
        "stairs" => |t| if t % 10.0 == 0.0 { 0.5 } else { 1.0 },
        "constant" => |_| 0.97,
        unknown => panic!("no closure {unknown}"),
    };
    move |step| factor(step as f64)
}

#[test]
fn lambda_lr() {
    check("lambda_lr", |document| {
        let case = &document["LambdaLr"];
        LambdaLr::new(
            case["initial_lr"].as_f64().unwrap(),
            closure(&case["closure"]),
        )
        .into()
    });
}

#[test]
fn multiplicative_lr() {
    check("multiplicative_lr", |document| {
        let case = &document["MultiplicativeLr"];
        MultiplicativeLr::new(
            case["initial_lr"].as_f64().unwrap(),
            closure(&case["closure"]),
        )
        .into()
    });
}

#[test]
fn reduce_lr_on_plateau_is_equal_to_the_bit() {
    for case in cases("reduce_lr_on_plateau") {
        let document = &case["schedule"];
        let mut scheduler = Scheduler::new(from_document(document), Run::per_epoch(1)).unwrap();
        let metrics = case["metrics"].as_array().unwrap().iter();
        for (epoch, (metric, lr)) in metrics.zip(numbers(&case["lrs"])).enumerate() {
            scheduler.step();
            scheduler
                .observe(metric.as_f64().unwrap_or(f64::NAN))
                .unwrap();
            assert_eq!(scheduler.lr(), lr, "epoch {epoch} of {document}");
        }
    }
}

/// PyTorch's relative threshold, `best * (1 -/+ threshold)`, takes a metric below zero for better
/// than itself: it would never cut here.
#[test]
fn a_metric_below_zero_that_stands_still_is_a_plateau() {
    for mode in [Mode::Min, Mode::Max] {
        let plateau = ReduceLrOnPlateau::new(0.1).with_mode(mode).with_patience(2);
        let mut scheduler = Scheduler::new(plateau, Run::per_epoch(1)).unwrap();
        let mut lrs = Vec::new();
        for _ in 0..4 {
            scheduler.step();
            scheduler.observe(-1.0).unwrap();
            lrs.push(scheduler.lr());
        }
        assert_eq!(lrs, [0.1, 0.1, 0.1, 0.1 * 0.1]);
    }
}
