//! The only place where a code becomes an HTTP status.

use actix_web::http::StatusCode;
use service::Code;

/// The status of a code.
pub const fn status(code: Code) -> StatusCode {
    match code {
        Code::SamlResponseRefused
        | Code::ApplicationRefused
        | Code::InvalidBody
        | Code::ProxyHeaderInvalid
        | Code::SignInCodeRefused => StatusCode::BAD_REQUEST,
        Code::Unauthenticated | Code::LoginIncorrectCredentials | Code::SessionExpired | Code::MfaCodeIncorrect => {
            StatusCode::UNAUTHORIZED
        }
        Code::Forbidden
        | Code::NoRole
        | Code::BreakGlassUser
        | Code::NetworkNotAllowed
        | Code::FirstOwnerSetsPassword => StatusCode::FORBIDDEN,
        Code::NotFound
        | Code::RouteNotFound
        | Code::SsoAccountNotConfigured
        | Code::SsoEmailNotConfigured
        | Code::LinkInvalid
        | Code::NoDefaultApplication => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::SsoMultipleUsernames
        | Code::MfaEmailMissing
        | Code::AccountNameTaken
        | Code::UsernameTaken
        | Code::BreakGlassRequired
        | Code::NotBreakGlass
        | Code::TooManyApiKeys
        | Code::TooManyAccountLinks
        | Code::AccountsLinked
        | Code::SwitchNeedsSetup
        | Code::PairingRefused
        | Code::ConnectionExists
        | Code::ConnectionIncomplete
        | Code::AlreadyInvited
        | Code::PasswordResetUnsupported
        | Code::MagicLinkUnsupported
        | Code::InvitationAccepted
        | Code::InvitationRevoked
        | Code::UserInactive
        | Code::ConnectionEnabled
        | Code::SsoRequired
        | Code::MigrationOutdated
        | Code::MigrationBlocked
        | Code::MigrationNotSignedOff
        | Code::MigrationOver
        | Code::UserArchived
        | Code::PageNotConfigured
        | Code::MailNotRetryable
        | Code::MailBeingSent => StatusCode::CONFLICT,
        Code::InvitationExpired | Code::LinkUsed | Code::LinkReplaced | Code::LinkExpired => StatusCode::GONE,
        Code::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
        Code::PayloadTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        // The request can be read and makes no sense, or not any more.
        Code::InvalidInput | Code::IdempotencyKeyReused | Code::MetadataUnavailable => StatusCode::UNPROCESSABLE_ENTITY,
        Code::RateLimited => StatusCode::TOO_MANY_REQUESTS,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        Code::IdpUnreachable | Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The title of a code: its status in words, the same for every occurrence (RFC 9457, section 3.1.3).
pub fn title(code: Code) -> &'static str {
    status(code).canonical_reason().unwrap_or("Error")
}
