//! The client of a request is located once, before anything else is done with it, and is the same for everything
//! that asks: limits, allowed networks, attempts, sessions and the audit log.

use actix_web::body::{BoxBody, MessageBody};
use actix_web::dev::{ServiceRequest, ServiceResponse};
use actix_web::middleware::Next;
use actix_web::{Error, HttpMessage as _, web};

use crate::extract::{ClientAddress, TrustedProxies, client_address};
use crate::problem::Problem;

/// Finds the client, or refuses a trusted proxy's header that cannot be read.
pub async fn locate(
    request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<BoxBody>, Error> {
    let none = TrustedProxies::default();
    let proxies = request.app_data::<web::Data<TrustedProxies>>().map_or(&none, web::Data::get_ref);
    match client_address(request.peer_addr(), request.headers(), proxies) {
        Ok(address) => {
            request.extensions_mut().insert(ClientAddress(address));
            Ok(next.call(request).await?.map_into_boxed_body())
        }
        Err(unreadable) => {
            tracing::warn!(header = "X-Forwarded-For", %unreadable, "a trusted proxy does not tell its client");
            Ok(request.error_response(Problem::from(unreadable)))
        }
    }
}
