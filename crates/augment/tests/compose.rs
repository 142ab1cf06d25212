//! Compositions: how often each part comes, in which order, and that no part's draws depend on another's.

use crate::policies::even;
use gradwise_augment::{
    Augment, Draw, Key, Kind, OneOf, Part, RandomOrder, Result, Sequence, Shape, SomeOf, Sometimes, part,
};
use std::collections::BTreeMap;

/// Does nothing but draw a number and note it.
#[derive(Clone, Debug)]
struct Named(&'static str);

impl Augment for Named {
    fn name(&self) -> &str {
        self.0
    }

    fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
        let x = draw.random().uniform();
        draw.note(self.0, &[("x", x)]);
        Ok(())
    }
}

fn parts(names: &[&'static str]) -> Vec<Part> {
    names.iter().map(|&name| part(Named(name))).collect()
}

/// Names and numbers, as they were drawn.
fn drawn(augment: &(impl Augment + ?Sized), key: Key) -> Vec<(String, f64)> {
    let plan = augment.plan(Shape::interleaved(2, 2, 1), Kind::U8, key).unwrap();
    plan.notes().iter().map(|note| (note.name.to_string(), note.values().next().unwrap().1)).collect()
}

/// How often each order of names comes.
fn orders(augment: &dyn Augment, n: u64) -> BTreeMap<String, f64> {
    let mut seen = BTreeMap::new();
    for seed in 0..n {
        let names: Vec<String> = drawn(augment, Key::new(seed)).into_iter().map(|(name, _)| name).collect();
        *seen.entry(names.join(" ")).or_default() += 1.0;
    }
    seen
}

#[test]
fn one_comes_as_often_as_its_weight_says() {
    let weighted = OneOf::new([1.0, 0.0, 2.0, 1.0].into_iter().zip(parts(&["a", "never", "b", "c"]))).unwrap();
    let seen = orders(&weighted, 8000);
    assert_eq!(seen.len(), 3, "{seen:?}");
    assert!(even([seen["a"], seen["b"] / 2.0, seen["c"]].into_iter()), "{seen:?}");
    assert!((seen["b"] - 4000.0).abs() < 4.0 * 2000_f64.sqrt(), "{seen:?}");
    let seen = orders(&OneOf::even(parts(&["a", "b", "c", "d", "e"])).unwrap(), 8000);
    assert!(seen.len() == 5 && even(seen.values().copied()), "{seen:?}");
    for weights in [[1.0, -1.0], [0.0, 0.0], [f64::NAN, 1.0], [f64::INFINITY, 1.0], [f64::MAX, f64::MAX]] {
        assert!(OneOf::new(weights.into_iter().zip(parts(&["a", "b"]))).is_err(), "{weights:?}");
    }
}

#[test]
fn orders_are_as_frequent_as_each_other() {
    let seen = orders(&RandomOrder::from_iter(parts(&["a", "b", "c", "d"])), 8000);
    assert!(seen.len() == 24 && even(seen.values().copied()), "{seen:?}");
    // Two of three: three pairs in two orders each.
    let seen = orders(&SomeOf::new(2, 2, parts(&["a", "b", "c"])).unwrap(), 6000);
    assert!(seen.len() == 6 && even(seen.values().copied()), "{seen:?}");
}

#[test]
fn each_number_of_parts_is_as_frequent_as_another() {
    let seen = orders(&SomeOf::new(0, 3, parts(&["a", "b", "c"])).unwrap(), 8000);
    let mut by_number = [0.0; 4];
    seen.iter().for_each(|(names, n)| by_number[names.split_whitespace().count()] += n);
    assert!(even(by_number.into_iter()), "{by_number:?}");
    assert!(seen.keys().all(|names| {
        let mut names: Vec<&str> = names.split_whitespace().collect();
        names.sort_unstable();
        names.windows(2).all(|pair| pair[0] != pair[1])
    }));
    for (least, most) in [(2, 1), (0, 4)] {
        assert!(SomeOf::new(least, most, parts(&["a", "b", "c"])).is_err());
    }
}

#[test]
fn a_probability_is_one() {
    let n = |p: f64| {
        let sometimes = Sometimes::new(p, Named("a")).unwrap();
        (0..4000).filter(|&seed| !drawn(&sometimes, Key::new(seed)).is_empty()).count()
    };
    assert_eq!((n(0.0), n(1.0)), (0, 4000));
    assert!((n(0.3) as f64 - 1200.0).abs() < 4.0 * 840_f64.sqrt());
    for p in [-0.1, 1.1, f64::NAN] {
        assert!(Sometimes::new(p, Named("a")).is_err());
    }
}

#[test]
fn what_a_part_draws_depends_on_its_place_alone() {
    let names = ["a", "b", "c", "d"];
    let find = |drawn: &[(String, f64)], name: &str| drawn.iter().find(|(other, _)| other == name).map(|(_, x)| *x);
    for seed in 0..100 {
        let key = Key::new(seed).epoch(3).sample(5);
        let sequence = drawn(&Sequence::from_iter(parts(&names)), key);
        // Whatever the order, and whoever comes along.
        let others: [(&str, Vec<(String, f64)>); 4] = [
            ("in any order", drawn(&RandomOrder::from_iter(parts(&names)), key)),
            ("only some", drawn(&SomeOf::new(1, 4, parts(&names)).unwrap(), key)),
            ("without the last", drawn(&Sequence::from_iter(parts(&names[..3])), key)),
            ("beside another", drawn(&Sequence::from_iter(parts(&["other", "b", "c", "d"])), key)),
        ];
        for (how, drawn) in others {
            for (name, x) in drawn.iter().filter(|(name, _)| name != "other") {
                assert_eq!(Some(*x), find(&sequence, name), "{name} {how}");
            }
        }
        // A part that happens draws the same, however likely that was.
        let of = |p: f64| drawn(&Sometimes::new(p, Named("a")).unwrap(), key);
        let (rarely, always) = (of(0.5), of(1.0));
        assert!(rarely.is_empty() || rarely == always);
    }
}

#[test]
fn places_samples_epochs_and_depths_draw_by_themselves() {
    // Pairs of numbers that must have nothing to do with each other.
    let n = 4000_u64;
    let inner = Sequence::from_iter(parts(&["c", "d"]));
    let all = Sequence::new().then(Named("a")).then(Named("b")).then(inner);
    let of = |key: Key| -> Vec<f64> { drawn(&all, key).into_iter().map(|(_, x)| x).collect() };
    let here: Vec<Vec<f64>> = (0..n).map(|i| of(Key::new(1).epoch(2).sample(i))).collect();
    let column = |rows: &[Vec<f64>], place: usize| rows.iter().map(|row| row[place]).collect::<Vec<f64>>();
    let others = [
        (0..n).map(|i| of(Key::new(1).epoch(3).sample(i))).collect::<Vec<_>>(),
        (0..n).map(|i| of(Key::new(2).epoch(2).sample(i))).collect(),
        (0..n).map(|i| of(Key::new(1).epoch(2).sample(i + 1))).collect(),
        (0..n).map(|i| of(Key::new(1).epoch(2).batch(i))).collect(),
    ];
    let mut pairs = Vec::new();
    for first in 0..4 {
        let bins = column(&here, first).iter().fold([0.0; 10], |mut bins, x| {
            bins[(x * 10.0) as usize] += 1.0;
            bins
        });
        assert!(even(bins.into_iter()), "{bins:?}");
        (first + 1..4).for_each(|second| pairs.push((column(&here, first), column(&here, second))));
        others.iter().for_each(|other| pairs.push((column(&here, first), column(other, first))));
    }
    for (i, (a, b)) in pairs.iter().enumerate() {
        let covariance: f64 = a.iter().zip(b).map(|(a, b)| (a - 0.5) * (b - 0.5)).sum::<f64>() / n as f64;
        // Of uniform numbers, in units of their variance: a standard normal number over √n.
        assert!((covariance * 12.0).abs() < 4.5 / (n as f64).sqrt(), "pair {i}: {}", covariance * 12.0);
    }
}
