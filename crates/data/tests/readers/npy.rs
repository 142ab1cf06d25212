//! NumPy's files: every type, order and shape, and what is none.

use gradwise_data::{DataError, Npy, npy_bytes, read_npy, write_npy};
use ndarray::{ArrayD, Dimension, IxDyn, array};
use proptest::prelude::*;

fn npy(descr: &str, fortran: &str, shape: &str, values: &[u8]) -> Vec<u8> {
    let header = format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header.as_bytes());
    bytes.extend(values);
    bytes
}

fn read(bytes: Vec<u8>) -> Result<Vec<f64>, DataError> {
    Ok(Npy::from_bytes(bytes, "x.npy")?.to_array::<f64>()?.iter().copied().collect())
}

#[test]
fn every_type_is_read() {
    assert_eq!(read(npy("|u1", "False", "(2,)", &[0, 255])).unwrap(), [0.0, 255.0]);
    assert_eq!(read(npy("|i1", "False", "(2,)", &[1, 255])).unwrap(), [1.0, -1.0]);
    assert_eq!(read(npy("|b1", "False", "(2,)", &[0, 1])).unwrap(), [0.0, 1.0]);
    assert_eq!(read(npy("<i2", "False", "(1,)", &[0xfe, 0xff])).unwrap(), [-2.0]);
    assert_eq!(read(npy(">i4", "False", "(1,)", &[0, 0, 1, 2])).unwrap(), [258.0]);
    assert_eq!(read(npy("<u8", "False", "()", &7_u64.to_le_bytes())).unwrap(), [7.0]);
    assert_eq!(read(npy(">f8", "False", "(1,)", &(-1.5_f64).to_be_bytes())).unwrap(), [-1.5]);
    assert_eq!(read(npy("<f4", "False", "(1L,)", &0.25_f32.to_le_bytes())).unwrap(), [0.25]);
    // Halves: 1, -2, the largest, the smallest, infinity.
    let halves: Vec<u8> = [0x3c00_u16, 0xc000, 0x7bff, 0x0001, 0x7c00].iter().flat_map(|h| h.to_le_bytes()).collect();
    let expected = [1.0, -2.0, 65_504.0, 2_f64.powi(-24), f64::INFINITY];
    assert_eq!(read(npy("<f2", "False", "(5,)", &halves)).unwrap(), expected);
    // Column by column.
    assert_eq!(read(npy("|u1", "True", "(2, 3)", &[1, 2, 3, 4, 5, 6])).unwrap(), [1.0, 3.0, 5.0, 2.0, 4.0, 6.0]);
    let mut second = npy("|u1", "False", "(1,)", &[9]);
    second[6] = 2;
    second.splice(10..10, [0, 0]);
    assert_eq!(read(second).unwrap(), [9.0]);
}

#[test]
fn what_is_no_array_is_told_by_its_byte() {
    let told = |bytes: Vec<u8>| read(bytes).unwrap_err().to_string();
    assert_eq!(told(b"PK\x03\x04".to_vec()), "x.npy: at byte 0: expected `\\x93NUMPY`, got `PK\\x03\\x04`");
    assert_eq!(told(b"\x93NUMPY\x01\x00".to_vec()), "x.npy: at byte 8: expected the rest of a header, got the end");
    assert_eq!(told(b"\x93NUMPY\x09\x00\x00\x00".to_vec()), "x.npy: at byte 6: expected version 1, 2 or 3, got 9");
    assert_eq!(
        told(b"\x93NUMPY\x01\x00\xff\x00".to_vec()),
        "x.npy: at byte 10: expected the rest of a header, got the end"
    );
    for descr in ["|O", "<U3", "<c8", "<M8[ns]", "f4", "<f16"] {
        let expected = format!("x.npy: at byte 10: expected numbers or booleans, got type `{descr}`");
        assert_eq!(told(npy(descr, "False", "(1,)", &[0; 8])), expected);
    }
    let short = told(npy("<f4", "False", "(2, 3)", &[0; 20]));
    assert!(short.ends_with("expected 24 bytes of values for shape [2, 3], got 20"), "{short}");
    // No memory is taken for what a header claims.
    let huge = told(npy("<f8", "False", "(4611686018427387904, 4)", &[]));
    assert!(huge.contains("expected more bytes of values"), "{huge}");
    assert!(told(npy("<f8", "False", "(1000000000000,)", &[])).contains("8000000000000 bytes"));
    assert!(told(npy("<f8", "Maybe", "(1,)", &[0; 8])).contains("an order of True or False"));
    assert!(told(npy("<f8", "False", "(-1,)", &[0; 8])).contains("expected a shape"));
    let mut keyless = npy("<f8", "False", "(1,)", &[0; 8]);
    keyless[15] = b'X';
    assert!(told(keyless).contains("a header with 'descr'"));
    let labels = |bytes: Vec<u8>| Npy::from_bytes(bytes, "y.npy").unwrap().to_labels().map_err(|e| e.to_string());
    assert_eq!(
        labels(npy("<i8", "False", "(2, 1)", &[[3, 0, 0, 0, 0, 0, 0, 0], [1, 0, 0, 0, 0, 0, 0, 0]].concat())),
        Ok(vec![3, 1])
    );
    let negative = labels(npy("|i1", "False", "(2,)", &[1, 255])).unwrap_err();
    assert!(negative.ends_with("expected a label from 0, got -1"), "{negative}");
    assert!(labels(npy("<f4", "False", "(1,)", &[0; 4])).unwrap_err().contains("labels of a whole-number type"));
    assert!(labels(npy("|u1", "False", "(1, 2)", &[0; 2])).unwrap_err().contains("labels with 1 axis"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn arrays_come_back(shape in prop::collection::vec(0_usize..4, 0..4), seed: u32) {
        let x = ArrayD::from_shape_fn(IxDyn(&shape), |at| at.slice().iter().fold(f64::from(seed), |x, &i| x * 0.7 + i as f64));
        for x in [x.clone(), x.reversed_axes()] {
            prop_assert_eq!(&Npy::from_bytes(npy_bytes(&x), "x").unwrap().to_array::<f64>().unwrap(), &x);
            let single = x.mapv(|v| v as f32);
            prop_assert_eq!(&Npy::from_bytes(npy_bytes(&single), "x").unwrap().to_array::<f32>().unwrap(), &single);
            prop_assert_eq!(npy_bytes(&single).len() % 4, 0);
        }
    }

    #[test]
    fn no_bytes_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..80), start in any::<bool>(), at in 0_usize..60, value: u8) {
        if start {
            bytes = npy_bytes(&array![[1.0_f32, 2.0]].into_dyn());
            bytes[at] = value;
        }
        if let Ok(npy) = Npy::from_bytes(bytes, "x") {
            let _ = (npy.to_array::<f32>(), npy.to_labels());
        }
    }
}

#[test]
fn files_are_written_and_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npy");
    let x = array![[1.0_f32, 2.0]].into_dyn();
    write_npy(&path, &x).unwrap();
    assert_eq!(read_npy::<f32>(&path).unwrap(), x);
    let missing = read_npy::<f32>(folder.path().join("y.npy")).unwrap_err().to_string();
    assert!(missing.contains("y.npy: "), "{missing}");
    assert!(write_npy(folder.path(), &x).is_err());
}

#[cfg(feature = "npz")]
#[test]
fn archives_name_their_arrays() {
    use gradwise_data::{Npz, write_npz};
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.npz");
    let (a, b) = (array![1.0, 2.0].into_dyn(), ArrayD::<f64>::zeros(IxDyn(&[100, 100])));
    write_npz(&path, &[("a", &a), ("b", &b)]).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() < 5000);
    let mut npz = Npz::open(&path).unwrap();
    assert_eq!(
        (npz.names(), npz.get("a").unwrap().to_array::<f64>().unwrap()),
        (vec!["a".into(), "b".into()], a.clone())
    );
    assert_eq!(npz.get("b").unwrap().to_array::<f64>().unwrap(), b);
    let error = npz.get("c").unwrap_err().to_string();
    assert!(error.starts_with("npz: array: expected one of a, b, got `c` in "), "{error}");
    let no_archive = Npz::from_reader(std::io::Cursor::new(b"not one".to_vec()), "x.npz").unwrap_err().to_string();
    assert!(no_archive.starts_with("x.npz: at byte 0: expected an archive, got "), "{no_archive}");
    assert!(write_npz(&path, &[("a", &a), ("a", &a)]).is_err());
}
