//! Which buffer serves which request, once it is known how long each is held.

/// A request of a sequence, or a buffer that was out already when the sequence began.
#[derive(Clone, Copy, Debug)]
pub(super) struct Held {
    /// Elements that it was made for.
    pub(super) capacity: usize,
    /// Capacity and address of the buffer that served it.
    pub(super) buffer: (usize, usize),
    /// Its place among all requests of the sequence; `None` if it came from before.
    pub(super) request: Option<usize>,
    pub(super) start: u32,
    /// When it came back; [`Held::OUT`] if it did not.
    pub(super) end: u32,
}

impl Held {
    pub(super) const OUT: u32 = u32::MAX;

    /// Whether it has to stay in the buffer where it is: the buffer is out at the beginning of the sequence or at its end.
    const fn is_fixed(&self) -> bool {
        self.request.is_none() || self.end == Self::OUT
    }
}

/// A buffer of a plan: its capacity, the address if there is one already, and the times at which it is held.
#[derive(Debug)]
pub(super) struct Place {
    pub(super) capacity: usize,
    pub(super) address: Option<usize>,
    pub(super) times: Vec<(u32, u32)>,
}

impl Place {
    pub(super) const fn of(buffer: (usize, usize)) -> Self {
        Place { capacity: buffer.0, address: Some(buffer.1), times: Vec::new() }
    }

    fn is_free(&self, held: &Held) -> bool {
        self.times.iter().all(|&(start, end)| end < held.start || held.end < start)
    }

    /// When it came back for the last time before `start`.
    fn last_use(&self, start: u32) -> u32 {
        self.times.iter().map(|&(_, end)| end).filter(|&end| end < start).max().unwrap_or(0)
    }
}

/// Gives each of `all` a place, and returns which: an existing one of `places` where one is free for as long, else a new one.
///
/// The largest choose first, each the smallest place that it fits, so that small ones go where large ones were, or will be; of places alike
/// that which came back last, since it is the likeliest to be in a cache.
pub(super) fn assign(all: &[Held], places: &mut Vec<Place>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..all.len()).collect();
    order.sort_by_key(|&i| (!all[i].is_fixed(), std::cmp::Reverse(all[i].capacity), all[i].start));
    let mut chosen = vec![0; all.len()];
    for i in order {
        let held = &all[i];
        let best = if held.is_fixed() {
            places.iter().position(|place| place.address == Some(held.buffer.1))
        } else {
            let free = places.iter().enumerate().filter(|(_, p)| p.capacity >= held.capacity && p.is_free(held));
            free.min_by_key(|(_, p)| (p.capacity, std::cmp::Reverse(p.last_use(held.start)))).map(|(at, _)| at)
        };
        chosen[i] = best.unwrap_or_else(|| {
            let new = Place { capacity: held.capacity, address: None, times: Vec::new() };
            places.push(if held.is_fixed() { Place::of(held.buffer) } else { new });
            places.len() - 1
        });
        places[chosen[i]].times.push((held.start, held.end));
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held(capacity: usize, start: u32, end: u32) -> Held {
        Held { capacity, buffer: (capacity, 0), request: Some(0), start, end }
    }

    #[test]
    fn small_ones_go_where_large_ones_are_not_yet_or_not_any_more() {
        let all = [held(8, 0, 3), held(4, 4, 9), held(4, 5, 6), held(8, 7, 8), held(4, 0, 1)];
        let mut places = Vec::new();
        let chosen = assign(&all, &mut places);
        let total: usize = places.iter().map(|place| place.capacity).sum();
        assert_eq!(total, 12, "{places:?}");
        for (i, a) in all.iter().enumerate() {
            assert!(places[chosen[i]].capacity >= a.capacity);
            for (j, b) in all.iter().enumerate().filter(|&(j, _)| j != i) {
                let apart = a.end < b.start || b.end < a.start;
                assert!(apart || chosen[i] != chosen[j], "{i} and {j}");
            }
        }
    }

    #[test]
    fn what_is_out_stays_where_it_is() {
        let out = Held { buffer: (16, 7), end: Held::OUT, ..held(8, 5, 0) };
        let early = held(8, 0, 4);
        let mut places = vec![Place::of((16, 7))];
        assert_eq!(assign(&[early, out, held(8, 6, 7)], &mut places), [0, 0, 1]);
        assert_eq!(places[1].capacity, 8);
    }
}
