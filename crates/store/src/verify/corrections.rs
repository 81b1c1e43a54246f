//! What is noted of entries that reverse others.

use std::collections::BTreeMap;

use housecall_meter::Key;
use sqlx::AnyConnection;

use super::{Told, agree, expect};
use crate::StoreError;

pub(super) async fn check(tx: &mut AnyConnection, told: &Told) -> Result<(), StoreError> {
    let rows = "SELECT seq, corrects, credits FROM correction ORDER BY seq";
    let rows: Vec<(i64, String, i64)> = sqlx::query_as(rows).fetch_all(tx).await?;
    let stored = sums(rows.iter().map(|(_, of, credits)| (of.clone(), *credits)));
    let written = told.corrections.values();
    let written = sums(written.map(|(of, credits)| (of.to_string(), *credits)));
    for of in stored.keys().chain(written.keys()) {
        let sum = |sums: &BTreeMap<String, i64>| sums.get(of).copied().unwrap_or(0);
        expect(
            || format!("what corrects {of}"),
            sum(&stored),
            sum(&written),
        )?;
    }
    for (seq, of, credits) in rows {
        let is_so = told.corrections.get(&seq) == Some(&(Key(of), credits));
        let place = || format!("the note of correction {seq}");
        agree(is_so, place, "is of another entry than the journal says")?;
    }
    Ok(())
}

fn sums(each: impl Iterator<Item = (String, i64)>) -> BTreeMap<String, i64> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for (of, credits) in each {
        let sum = sums.entry(of).or_default();
        *sum = sum.saturating_add(credits);
    }
    sums
}
