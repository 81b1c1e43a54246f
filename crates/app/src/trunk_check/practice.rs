use housecall::Country;
use housecall_store::Address;

use super::Refused;
use crate::{db, numbers};

/// What the clinic's database knows that a check has to.
pub(super) struct Practice {
    /// The country whose numbers are written without a prefix.
    pub(super) country: Country,
    /// The number that calls are made from.
    pub(super) number: Option<String>,
}

impl Practice {
    /// Reads it, and changes nothing. A clinic that has never run is in Australia, as it will be when it does.
    pub(super) async fn read(address: &Address) -> Result<Self, Refused> {
        let unreadable = |why: &dyn ToString| Refused::Practice {
            database: address.clone(),
            why: why.to_string(),
        };
        let db = db::read(address).await.map_err(|why| unreadable(&why))?;
        let Some(db) = db else {
            let country = Country::Au;
            let number = None;
            return Ok(Self { country, number });
        };
        let practice = Self {
            country: numbers::country(&db)
                .await
                .map_err(|why| unreadable(&why))?,
            number: numbers::first(&db).await.map_err(|why| unreadable(&why))?,
        };
        db.close().await;
        Ok(practice)
    }
}
