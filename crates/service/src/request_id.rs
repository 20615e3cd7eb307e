//! Names for requests, in logs and in problems.

use crate::Service;

impl Service {
    /// A new name for a request: in order of time, so that a log can be searched from it.
    pub fn request_id(&self) -> String {
        format!("req_{}", self.uuid().simple())
    }
}
