//! Keeps what happened, once.

use async_trait::async_trait;
use housecall::ports::{RecordError, Records};
use housecall::record::{CallRecord, VisitRecord};

use crate::Store;

#[async_trait]
impl Records for Store {
    async fn save_call(&self, record: &CallRecord) -> Result<(), RecordError> {
        self.insert_call(record)
            .await
            .map_err(|error| RecordError(error.to_string()))
    }

    async fn save_visit(&self, record: &VisitRecord) -> Result<(), RecordError> {
        self.insert_visit(record)
            .await
            .map_err(|error| RecordError(error.to_string()))
    }
}
