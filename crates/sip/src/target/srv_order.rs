use rand::{Rng, RngExt};

use super::Srv;

/// Puts the hosts of a service in the order to try them in: by priority, and at random by weight within one (RFC 2782, "Usage
/// rules").
pub(super) fn in_order(mut records: Vec<Srv>, random: &mut impl Rng) -> Vec<Srv> {
    // Those of no weight stand first, so that they have a small chance (RFC 2782, "Weight").
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let peers = records.iter().take_while(|one| one.priority == priority);
        let drawn = draw(peers, random);
        ordered.push(records.remove(drawn));
    }
    ordered
}

/// Draws the position of one record, each with a chance in proportion to its weight.
fn draw<'a>(records: impl Iterator<Item = &'a Srv> + Clone, random: &mut impl Rng) -> usize {
    let sum: u32 = records.clone().map(|one| u32::from(one.weight)).sum();
    let mark = random.random_range(0..=sum);
    let mut running = 0;
    let reached = |one: &Srv| {
        running += u32::from(one.weight);
        running >= mark
    };
    records.map(reached).position(|it| it).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn srv(priority: u16, weight: u16, target: &str) -> Srv {
        Srv {
            priority,
            weight,
            port: 5060,
            target: target.to_owned(),
        }
    }

    fn targets(records: Vec<Srv>, seed: u64) -> Vec<String> {
        let mut random = StdRng::seed_from_u64(seed);
        let ordered = in_order(records, &mut random);
        ordered.into_iter().map(|record| record.target).collect()
    }

    /// RFC 2782, on priority: the lowest number is tried first.
    #[test]
    fn priority_comes_first_whatever_the_weight() {
        for seed in 0..200 {
            let records = vec![srv(20, 65_535, "c"), srv(10, 0, "a"), srv(15, 1, "b")];
            assert_eq!(targets(records, seed), ["a", "b", "c"], "seed {seed}");
        }
    }

    /// RFC 2782, "Weight": the share of firsts is in proportion to the weight, and none is left out of the order.
    #[test]
    fn weight_shares_the_load() {
        let mut firsts = [0_u32; 3];
        for seed in 0..4_000 {
            let order = targets(
                vec![srv(1, 60, "0"), srv(1, 30, "1"), srv(1, 10, "2")],
                seed,
            );
            assert_eq!(order.len(), 3, "seed {seed}");
            firsts[order[0].parse::<usize>().unwrap()] += 1;
        }
        let share = |index: usize| f64::from(firsts[index]) / 4_000.0;
        for (index, expected) in [(0, 0.6), (1, 0.3), (2, 0.1)] {
            assert!((share(index) - expected).abs() < 0.03, "{firsts:?}");
        }
    }

    /// RFC 2782, on weight: one of 0 is hardly ever chosen beside others, and is not lost.
    #[test]
    fn no_weight_is_a_small_chance() {
        let first_of = |seed| targets(vec![srv(1, 100, "heavy"), srv(1, 0, "none")], seed);
        let nones = (0..5_000).filter(|seed| first_of(*seed)[0] == "none");
        let nones = nones.count();
        assert!((1..200).contains(&nones), "{nones} of 5000");
    }
}
