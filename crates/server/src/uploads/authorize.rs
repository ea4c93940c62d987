//! Who may upload. The one place that knows.

use artifacts::IfMissing;
use axum::extract::Request;

use super::Uploads;
use super::refusal::Refusal;
use crate::auth::Scope;

impl Uploads {
    /// Passes whoever may upload.
    pub(super) fn authorize(&self, request: &Request) -> Result<(), Refusal> {
        let headers = request.headers();
        match self.guard.authorize(Scope::Upload, headers) {
            Ok(_) => Ok(()),
            Err(denied) => Err(Refusal::Denied(denied)),
        }
    }

    /// Whether organisations and projects come into being when they are named: as long as all of them belong to the one tenant.
    #[expect(
        clippy::unused_self,
        reason = "which organisations there are will depend on the settings"
    )]
    pub(super) fn if_missing(&self) -> IfMissing {
        IfMissing::Create
    }
}
