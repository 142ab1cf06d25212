//! Scalers and positions, saved and restored.

use gradwise_data::{BatchPosition, MinMaxScaler, Per, StandardScaler};
use ndarray::array;

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
