//! What the pages say about credits; the ledger itself is the store's.

use housecall::ports::{Funds, Ledger};
use housecall::{AccountId, Booked, Estimate, Tariff};

use crate::appointments::Appointment;
use crate::error::AppError;
use crate::ids::PracticeId;
use crate::state::App;

/// Returns the account that pays for a practice.
pub fn account(practice: PracticeId) -> AccountId {
    AccountId::new(format!("practice:{practice}"))
}

/// Returns the credits of a practice.
///
/// # Errors
/// When the ledger cannot be reached.
pub async fn funds(app: &App, practice: PracticeId) -> Result<Funds, AppError> {
    app.store
        .funds(&account(practice))
        .await
        .map_err(|e| AppError::Internal(e.to_string()))
}

/// Returns what a video appointment of its booked length would cost (V6); none while nobody is booked.
pub fn estimate(app: &App, appointment: &Appointment) -> Option<EstimateWords> {
    let tariff = Tariff::from(app.config.visits.tariff);
    let booked = Booked::new(u8::try_from(appointment.booked()).ok()?)?;
    let minutes = u32::try_from(appointment.minutes()).ok()?;
    Some(EstimateWords::of(
        &tariff.estimate(booked, minutes),
        minutes,
    ))
}

/// An estimate, and how it was reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct EstimateWords {
    /// `8 to 16 credits`.
    pub cost: String,
    /// `50 min is 4 blocks · 2 credits a block · up to 2 patients`.
    pub how: String,
    /// Credits that must be there to start: one block for everybody booked (M7).
    pub to_start: u64,
}

impl EstimateWords {
    fn of(estimate: &Estimate, minutes: u32) -> Self {
        let (least, most) = (estimate.at_least.0, estimate.up_to.0);
        let cost = if least == most {
            format!("{most} credits")
        } else {
            format!("{least} to {most} credits")
        };
        let blocks = if estimate.blocks == 1 {
            "block"
        } else {
            "blocks"
        };
        let mut how = format!(
            "{minutes} min is {} {blocks} · {} credits a block",
            estimate.blocks, estimate.credits_per_block.0
        );
        let booked = estimate.booked.count();
        if booked > 1 {
            how.push_str(&format!(" · up to {booked} patients"));
        }
        Self {
            cost,
            how,
            to_start: estimate
                .credits_per_block
                .0
                .saturating_mul(u64::from(booked)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn v6_every_estimate_says_how_it_was_reached() {
        let words = |patients, minutes| {
            EstimateWords::of(
                &Tariff::STANDARD.estimate(Booked::new(patients).unwrap(), minutes),
                minutes,
            )
        };
        assert_eq!(words(2, 50).cost, "8 to 16 credits");
        assert_eq!(
            words(2, 50).how,
            "50 min is 4 blocks · 2 credits a block · up to 2 patients"
        );
        assert_eq!(words(1, 15).cost, "2 credits");
        assert_eq!(words(1, 15).how, "15 min is 1 block · 2 credits a block");
        assert_eq!(words(3, 15).to_start, 6);
    }
}
