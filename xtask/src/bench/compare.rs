//! A case beside the peers: one look at every setting, then interleaved pairs with the fastest.

use super::cases::Target;
use super::machine::Circumstances;
use super::programs::{Line, Programs, Variant, run, variants};
use super::record::{Comparison, Ours, Rival, Scouted};
use super::statistics::{bootstrap, median};
use crate::Failure;
use std::time::Duration;

/// Seconds of measuring in one run: the programs take at least five samples of a tenth of a second anyway.
const BUDGET: f64 = 0.5;

/// When a peer's run is given up: compiling a deep net takes a minute or two.
const LIMIT: Duration = Duration::from_secs(300);

/// How many settings are measured in pairs, at most.
const RIVALS: usize = 2;

/// How many times slower than the fastest a setting may have looked, to be measured in pairs: more than noise makes of equal ones.
const NEAR: f64 = 1.3;

/// Steps after which our numbers must still hold.
const LATER: usize = 1000;

/// Compares a case on a number of threads.
pub(super) fn compare(
    programs: &Programs,
    target: &Target,
    threads: usize,
    pairs: Option<u32>,
    circumstances: Circumstances,
) -> Result<Comparison, Failure> {
    let scouted = scout(programs, target, threads)?;
    let near = |ms: f64| scouted.first().is_some_and(|(_, first)| ms <= NEAR * first.ms);
    let rivals = scouted.iter().take(RIVALS).filter(|(_, scouted)| near(scouted.ms));
    let fastest = rivals.map(|(variant, _)| *variant).collect::<Vec<_>>();
    let pairs = pairs.unwrap_or(if target.slow { 10 } else { 30 });
    let (mut ours, mut theirs) = (Vec::new(), vec![Vec::new(); fastest.len()]);
    for round in 0..pairs as usize {
        let (our, their) = one_round(programs, target.case, threads, &fastest, round)?;
        for (all, line) in theirs.iter_mut().zip(their) {
            all.push((line.peer, line.ms, line.ms / our.ms));
        }
        ours.push(our);
    }
    let rivals = fastest.iter().zip(theirs).filter_map(|(variant, runs)| {
        let ratios: Vec<f64> = runs.iter().map(|(_, _, ratio)| *ratio).collect();
        Some(Rival {
            setting: variant.name(),
            peer: runs.first()?.0.clone(),
            ms: median(&runs.iter().map(|(_, ms, _)| *ms).collect::<Vec<_>>())?,
            ratio: bootstrap(&ratios)?,
            pairs: runs.len(),
        })
    });
    let mut rivals: Vec<Rival> = rivals.collect();
    rivals.sort_by(|a, b| a.ms.total_cmp(&b.ms));
    // One run can meet a disturbance; three of a slow case would take an hour.
    let later = (0..if target.slow { 1 } else { 3 }).map(|_| our_run(programs, target.case, threads, LATER));
    let later = later.map(|run| run.map(|line| line.ms)).collect::<Result<Vec<f64>, Failure>>()?;
    Ok(Comparison {
        case: target.case.to_owned(),
        threads,
        circumstances,
        ours: summary(&ours, median(&later)),
        scouted: scouted.into_iter().map(|(_, scouted)| scouted).collect(),
        rivals,
    })
}

/// Every setting once, the fastest first.
fn scout(programs: &Programs, target: &Target, threads: usize) -> Result<Vec<(Variant, Scouted)>, Failure> {
    let mut scouted = Vec::new();
    for variant in variants(target.images) {
        let name = variant.name();
        let ran = run(programs.peer(variant, target.case, threads, BUDGET), LIMIT)?;
        let Some((ran, line)) = ran.and_then(|ran| ran.line(target.case).map(|line| (ran, line))) else {
            println!("  {name}: no result");
            continue;
        };
        println!("  {name}: {:.3} ms", line.ms);
        scouted.push((variant, Scouted { setting: name, peer: line.peer, ms: line.ms, peak_mb: ran.peak_mb }));
    }
    scouted.sort_by(|(_, a), (_, b)| a.ms.total_cmp(&b.ms));
    Ok(scouted)
}

/// Ours and the rivals one after the other, in an order that turns with the round, so that none always follows the same other.
fn one_round(
    programs: &Programs,
    case: &str,
    threads: usize,
    rivals: &[Variant],
    round: usize,
) -> Result<(Line, Vec<Line>), Failure> {
    let n = rivals.len() + 1;
    let mut lines = vec![None; n];
    for turn in 0..n {
        let who = if round.is_multiple_of(2) { turn } else { n - 1 - turn };
        lines[who] = Some(match who.checked_sub(1) {
            None => our_run(programs, case, threads, 0)?,
            Some(rival) => run(programs.peer(rivals[rival], case, threads, BUDGET), LIMIT)?
                .and_then(|ran| ran.line(case))
                .ok_or_else(|| format!("{} gave no result for {case}", rivals[rival].name()))?,
        });
    }
    let mut lines = lines.into_iter().flatten();
    let ours = lines.next().ok_or("no run of ours")?;
    let lines: Vec<Line> = lines.collect();
    let rivals = lines.iter().map(|line| format!("{:.3} ({:.2} x)", line.ms, line.ms / ours.ms)).collect::<Vec<_>>();
    println!("  pair {}: {:.3} ms, {}", round + 1, ours.ms, rivals.join(", "));
    Ok((ours, lines))
}

fn our_run(programs: &Programs, case: &str, threads: usize, after: usize) -> Result<Line, Failure> {
    // A thousand steps of the slowest case take some minutes.
    let ran = run(programs.ours(case, threads, BUDGET, after), LIMIT * 10)?;
    Ok(ran.and_then(|ran| ran.line(case)).ok_or_else(|| format!("our program gave no result for {case}"))?)
}

fn summary(runs: &[Line], later: Option<f64>) -> Ours {
    let of = |field: fn(&Line) -> Option<f64>| median(&runs.iter().filter_map(field).collect::<Vec<_>>());
    Ours {
        ms: of(|line| Some(line.ms)).unwrap_or(f64::NAN),
        cpu_ms: of(|line| line.cpu_ms),
        workspace_mb: of(|line| Some(line.workspace_mb)).unwrap_or_default(),
        step_mb: of(|line| line.step_mb),
        ms_later: later,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_of_medians() {
        let line = |ms, step_mb| Line {
            peer: "gradwise".into(),
            case: "a".into(),
            ms,
            cpu_ms: None,
            workspace_mb: 7.0,
            step_mb,
        };
        let ours = summary(&[line(3.0, Some(1.0)), line(1.0, None), line(2.0, Some(2.0))], Some(2.5));
        assert_eq!((ours.ms, ours.cpu_ms, ours.workspace_mb), (2.0, None, 7.0));
        assert_eq!((ours.step_mb, ours.ms_later), (Some(1.5), Some(2.5)));
    }
}
