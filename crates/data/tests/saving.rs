//! Scalers and positions, saved and restored.

use gradwise_data::{BatchPosition, Covariance, MinMaxScaler, Per, RobustScaler, StandardScaler, Whitener, Whitening};
use ndarray::{ArrayD, IxDyn, array};

#[test]
fn what_is_saved_is_restored() {
    let x = array![[0.1, 7.0], [0.2, 7.0], [0.4, 7.0]].into_dyn();
    for per in [Per::Feature, Per::Channel, Per::All] {
        let scaler = StandardScaler::fit(per, &x).unwrap();
        let mut restored: StandardScaler = serde_json::from_str(&serde_json::to_string(&scaler).unwrap()).unwrap();
        assert_eq!(restored, scaler);
        // And goes on learning.
        restored.partial_fit(&x).unwrap();
        assert_eq!(restored.count(), 2 * scaler.count());

        let scaler = MinMaxScaler::fit(per, 0.0, 1.0, &x).unwrap();
        assert_eq!(serde_json::from_str::<MinMaxScaler>(&serde_json::to_string(&scaler).unwrap()).unwrap(), scaler);
    }
    let fresh = StandardScaler::new(Per::All);
    assert_eq!(serde_json::from_str::<StandardScaler>(&serde_json::to_string(&fresh).unwrap()).unwrap(), fresh);
    let position = BatchPosition { epoch: 3, batch: 8 };
    assert_eq!(serde_json::to_string(&position).unwrap(), r#"{"epoch":3,"batch":8}"#);
    assert_eq!(serde_json::from_str::<BatchPosition>(r#"{"epoch":3,"batch":8}"#).unwrap(), position);
}

#[test]
fn robust_scalers_and_whiteners_are_restored() {
    let x = ArrayD::from_shape_fn(IxDyn(&[40, 3]), |at| ((at[0] * 7 + at[1] * at[0] * 5) % 17) as f64 / 3.0);
    let scaler = RobustScaler::fit(Per::Feature, &x).unwrap();
    let mut restored: RobustScaler = serde_json::from_str(&serde_json::to_string(&scaler).unwrap()).unwrap();
    assert_eq!((restored.medians(), restored.scales(), restored.count()), (scaler.medians(), scaler.scales(), 40));
    let error = restored.partial_fit(&x).unwrap_err().to_string();
    assert_eq!(error, "robust scaler: expected a scaler that has kept its values, got one that was restored");
    let fresh = RobustScaler::new(Per::All).quantiles(0.1, 0.9).unwrap();
    assert_eq!(serde_json::from_str::<RobustScaler>(&serde_json::to_string(&fresh).unwrap()).unwrap(), fresh);

    for kind in [Whitening::Rotate, Whitening::Pca, Whitening::Zca] {
        let whitener = Whitener::fit(kind, 0.1, &x).unwrap().components(2).unwrap();
        let restored: Whitener = serde_json::from_str(&serde_json::to_string(&whitener).unwrap()).unwrap();
        assert_eq!(restored, whitener);
        assert_eq!(restored.transform(&x).unwrap(), whitener.transform(&x).unwrap());
    }
    let mut covariance = Covariance::new();
    covariance.add(&x).unwrap();
    let mut restored: Covariance = serde_json::from_str(&serde_json::to_string(&covariance).unwrap()).unwrap();
    assert_eq!(restored, covariance);
    restored.add(&x).unwrap();
    assert_eq!(restored.count(), 80);

    for text in [
        r#"{"per":"All","low":0.5,"high":0.2,"count":1,"medians":[0.0],"scales":[1.0]}"#,
        r#"{"per":"All","low":0.2,"high":0.5,"count":1,"medians":[0.0],"scales":[0.0]}"#,
        r#"{"per":"All","low":0.2,"high":0.5,"count":0,"medians":[0.0],"scales":[1.0]}"#,
    ] {
        assert!(serde_json::from_str::<RobustScaler>(text).is_err(), "{text}");
    }
    for text in [
        r#"{"kind":"Pca","epsilon":-1.0,"means":[0.0],"variances":[1.0],"vectors":[1.0]}"#,
        r#"{"kind":"Pca","epsilon":0.0,"means":[0.0],"variances":[1.0,2.0],"vectors":[1.0]}"#,
        r#"{"kind":"Pca","epsilon":0.0,"means":[0.0],"variances":[1.0],"vectors":[]}"#,
        r#"{"kind":"Pca","epsilon":0.0,"means":[],"variances":[],"vectors":[]}"#,
    ] {
        assert!(serde_json::from_str::<Whitener>(text).is_err(), "{text}");
    }
    assert!(serde_json::from_str::<Covariance>(r#"{"count":1,"means":[0.0],"moments":[]}"#).is_err());
}

#[test]
fn what_cannot_be_a_scaler_is_refused() {
    for text in [
        r#"{"per":"All","count":1,"means":[0.0],"squares":[]}"#,
        r#"{"per":"All","count":1,"means":[0.0],"squares":[-1.0]}"#,
        r#"{"per":"All","count":0,"means":[0.0],"squares":[1.0]}"#,
        r#"{"per":"All","count":1,"means":[],"squares":[]}"#,
    ] {
        let error = serde_json::from_str::<StandardScaler>(text).unwrap_err().to_string();
        assert!(error.contains("expected one finite mean and one sum of squares a group"), "{error}");
    }
    for text in [
        r#"{"per":"All","low":0.0,"high":1.0,"mins":[1.0],"maxs":[0.0]}"#,
        r#"{"per":"All","low":0.0,"high":1.0,"mins":[1.0],"maxs":[]}"#,
        r#"{"per":"All","low":2.0,"high":1.0,"mins":[],"maxs":[]}"#,
    ] {
        assert!(serde_json::from_str::<MinMaxScaler>(text).is_err());
    }
}
