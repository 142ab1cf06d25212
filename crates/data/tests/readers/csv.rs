//! Tables: types, missing values, and errors that name file, line and column.

use gradwise_data::{Column, ColumnKind, CsvReader, DataError, Missing, Table, TableEncoder, Unknown};
use ndarray::array;

fn told<X>(result: Result<X, DataError>) -> String {
    result.map(drop).unwrap_err().to_string()
}

fn table(text: &str) -> Table {
    CsvReader::new().read_bytes(text.as_bytes(), "t.csv").unwrap()
}

#[test]
fn columns_have_the_type_of_their_values() {
    let text = "\u{feff}a, b ,\"c, d\",e\r\n1,x,\"two\nlines\",NA\r\n\r\n-2.5e3, y,z,?\r\n,,,\n";
    let t = table(text);
    assert_eq!(t.names(), ["a", "b", "c, d", "e"]);
    assert_eq!(t.column("a").unwrap(), &Column::Numbers(vec![Some(1.0), Some(-2500.0), None]));
    let Column::Categories { names, values } = t.column("b").unwrap() else { panic!() };
    assert_eq!(
        (names.as_slice(), values.as_slice()),
        (&["x".to_owned(), "y".to_owned()][..], &[Some(0), Some(1), None][..])
    );
    assert_eq!(t.column("e").unwrap().n_missing(), 3);
    assert_eq!(t.missing().collect::<Vec<_>>(), [("a", 1), ("b", 1), ("c, d", 1), ("e", 3)]);
    assert_eq!((t.line(0), t.line(1), t.line(2), t.line(3)), (Some(2), Some(5), Some(6), None));
    assert_eq!((t.n_rows(), t.file(), t.column("a").unwrap().kind()), (3, "t.csv", ColumnKind::Number));
    // What is not finite is no number.
    assert_eq!(table("a\n1\ninf\n").labels("a").unwrap().1, ["1", "inf"]);
}

#[test]
fn errors_name_file_line_and_column() {
    let read = |text: &str| CsvReader::new().column("n", ColumnKind::Number).read_bytes(text.as_bytes(), "t.csv");
    assert_eq!(told(read("n,m\n1,2\n\n3\n")), "t.csv: line 4, column m: expected 2 fields, as in the first row, got 1");
    assert_eq!(told(read("n,m\n1,2,3\n")), "t.csv: line 2, column 3: expected 2 fields, as in the first row, got 3");
    assert_eq!(told(read("m,n\n1,2\n3,4 cm\n")), "t.csv: line 3, column n: expected a number, got `4 cm`");
    assert_eq!(
        told(read("n,n\n1,2\n")),
        "t.csv: line 1, column 2: expected a name of its own for each column, got `n` a second time"
    );
    assert_eq!(told(read("m\n1\n")), "csv: column: expected one of m, got `n`");
    assert_eq!(told(read("n\n")), "t.csv: line 1, column 1: expected at least one row of values, got the end");
    assert!(read("").is_err());
    let bytes = CsvReader::new().read_bytes(b"a,b\n1,2\n\xff,3\n", "t.csv");
    assert!(told(bytes).starts_with("t.csv: line 3, column 1: expected text in UTF-8, got "));
    assert!(CsvReader::new().read("no such file.csv").is_err());

    let t = table("a,b\n1,x\n,y\n");
    assert_eq!(told(t.numbers("a")), "t.csv: line 3, column a: expected a number, got a missing value");
    assert_eq!(told(t.numbers("b")), "table: column: expected a column of numbers, got categories in `b`");
    assert_eq!(told(t.labels("a")), "table: column: expected a column of categories, got numbers in `a`");
    assert_eq!(told(t.numbers("c")), "table: column: expected one of a, b, got `c`");
    assert_eq!(told(t.select(&[0, 2])), "table: expected an index below 2, got 2 at position 1");
}

#[test]
fn encoders_know_what_they_were_fitted_on() {
    let t = table("size,colour,kind\n1,red,a\n3,blue,b\n,red,b\n8,,a\n");
    let train = t.select(&[0, 1]).unwrap();
    let encoder = TableEncoder::fit(&train, &["colour", "size"]).unwrap();
    assert_eq!(encoder.names(), ["colour=blue", "colour=red", "size"]);
    assert_eq!(encoder.transform::<f64>(&train).unwrap(), array![[0.0, 1.0, 1.0], [1.0, 0.0, 3.0]].into_dyn());
    assert_eq!(
        told(encoder.transform::<f64>(&t)),
        "t.csv: line 5, column colour: expected a value, got a missing value"
    );
    let mean = encoder.clone().missing(Missing::Mean).transform::<f64>(&t).unwrap();
    assert_eq!(mean.index_axis(ndarray::Axis(0), 2), array![0.0, 1.0, 2.0].into_dyn());
    assert_eq!(mean.index_axis(ndarray::Axis(0), 3), array![0.0, 0.0, 8.0].into_dyn());
    let mark = encoder.clone().missing(Missing::Mark);
    assert_eq!(mark.names(), ["colour=blue", "colour=red", "colour=missing", "size", "size=missing"]);
    let marked = mark.transform::<f32>(&t).unwrap();
    assert_eq!(marked.index_axis(ndarray::Axis(0), 2), array![0.0, 1.0, 0.0, 2.0, 1.0].into_dyn());
    assert_eq!(marked.index_axis(ndarray::Axis(0), 3), array![0.0, 0.0, 1.0, 8.0, 0.0].into_dyn());

    let green = table("size,colour\n1,green\n");
    assert_eq!(
        told(encoder.transform::<f32>(&green)),
        "t.csv: line 2, column colour: expected one of blue, red, got `green`"
    );
    let zeros = encoder.clone().unknown(Unknown::Zeros).transform::<f32>(&green).unwrap();
    assert_eq!(zeros, array![[0.0, 0.0, 1.0]].into_dyn());
    let word = table("colour,size\nred,1\nblue,wide\n");
    assert_eq!(told(encoder.transform::<f32>(&word)), "t.csv: line 3, column size: expected a number, got `wide`");
    let numbers = table("colour,size\n1,1\n");
    assert_eq!(
        told(encoder.transform::<f32>(&numbers)),
        "table encoder: expected a column of categories, as it was fitted on, got numbers in `colour` of t.csv"
    );
    assert_eq!(
        told(encoder.transform::<f32>(&table("size\n1\n"))),
        "table: column: expected one of size, got `colour`"
    );
    assert_eq!(
        told(TableEncoder::fit(&table("a,b\n,1\n,2\n"), &["a"])),
        "table encoder: expected at least one number in each column, got none in `a`"
    );
    #[cfg(feature = "serde")]
    assert_eq!(serde_json::from_str::<TableEncoder>(&serde_json::to_string(&mark).unwrap()).unwrap(), mark);
}
