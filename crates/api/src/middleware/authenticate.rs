//! Credentials become a caller before anything else of a request is looked at, so that a client without valid ones
//! does not learn what is wrong with the rest of it.

use actix_web::body::MessageBody;
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};
use service::{Credentials, Service};

use crate::extract::{Authentication, ClientAddress, bearer};

/// Prefix of the paths at which credentials count.
const SECURED: &str = "/v1/";

/// Looks up the caller, where credentials came.
pub async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if request.path().starts_with(SECURED) {
        let address = ClientAddress::of(request.request());
        let service = request.app_data::<web::Data<Service>>().cloned();
        if let (Ok(ClientAddress(address)), Some(service), Some(bearer)) = (address, service, bearer(request.headers()))
        {
            let outcome = service.sessions.authenticate(Credentials { bearer, address }).await;
            request.extensions_mut().insert(Authentication(outcome));
        }
    }
    next.call(request).await
}
