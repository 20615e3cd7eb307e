//! Inviting many people at once (E1).

use actix_web::{HttpResponse, post, web};
use domain::email::Email;
use domain::invitation::AcceptBy;
use domain::language::Language;
use domain::portal::Portal;
use domain::role::RoleSet;
use domain::text::Label;
use domain::{InvitationBatchId, InvitationId, UserId};
use serde::{Deserialize, Serialize};
use service::{BATCH_MAX, BatchResult, InviteBatch, InviteOptions, Invitee, MailWishes, Service};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter};
use super::answer::recorded;
use super::names::{AcceptByName, LanguageName, PortalName, RoleName};
use crate::extract::{Authenticated, Creation, Ids, Row, rows};
use crate::problem::documentation::problems;
use crate::problem::{FieldError, Problem};

/// Most bytes of a batch: ten thousand rows with the longest emails and names, and some of both.
const BATCH_MAX_BYTES: usize = 8 * 1024 * 1024;

problems! {
    BatchProblems = [READ, BODY] + IdempotencyKeyReused + PageNotConfigured + NoDefaultApplication;
}

/// Registers the operation of this file.
pub fn register(config: &mut ServiceConfig<'_>) {
    config.service(create_invitation_batch);
}

/// People to invite, all into one portal and in one way.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateInvitationBatch {
    /// Portal that the people are invited to.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Set up without mails; resending sends them.
    #[serde(default)]
    #[schema(required = false)]
    staged: bool,
    /// The language of the mails.
    #[schema(value_type = Option<LanguageName>)]
    language: Option<Language>,
    /// Way in which they accept; where it is left out, through SSO if the portal has it enabled.
    #[schema(value_type = Option<AcceptByName>)]
    accept_by: Option<AcceptBy>,
    /// 1 to 10,000 people.
    #[serde(deserialize_with = "rows::<_, _, BATCH_MAX>")]
    #[schema(value_type = Vec<BatchRow>, min_items = 1, max_items = 10_000)]
    invitations: Vec<Row<BatchRow>>,
}

/// Person to invite, with their roles.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct BatchRow {
    /// Their email; it becomes the username.
    #[schema(value_type = String, format = Email, example = "ann@acme.example")]
    email: Email,
    /// Name of the person that people read.
    #[schema(value_type = Option<String>, example = "Ann", max_length = 200)]
    display_name: Option<Label>,
    /// Assigned roles; for the `admin` portal alone.
    #[serde(default)]
    #[schema(value_type = Vec<RoleName>, required = false)]
    roles: RoleSet,
}

impl From<CreateInvitationBatch> for InviteBatch {
    fn from(new: CreateInvitationBatch) -> Self {
        let wishes = MailWishes { language: new.language, accept_by: new.accept_by };
        let invitee = |BatchRow { email, display_name, roles }| Invitee { email, display_name, roles };
        let rows = new.invitations.into_iter().map(|row| row.0.map(invitee)).collect();
        Self { options: InviteOptions { portal: new.portal, staged: new.staged, wishes }, rows }
    }
}

/// Outcome of a batch, row by row.
#[derive(Debug, Serialize, ToSchema)]
struct InvitationBatch {
    /// Names it; `batch_id` of its invitations.
    #[schema(value_type = String, example = "inb_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: InvitationBatchId,
    /// Number of people who are invited by it.
    invited: usize,
    /// Number of rows that were refused.
    refused: usize,
    /// Row by row, in the order in which they were sent.
    results: Vec<RowResult>,
}

/// Outcome of one row.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "status", rename_all = "snake_case")]
enum RowResult {
    /// The person is invited.
    Invited {
        /// Identifier of their invitation.
        #[schema(value_type = String, example = "inv_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
        invitation_id: InvitationId,
        /// The user that they are.
        #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
        user_id: UserId,
    },
    /// The row was refused; the others are not affected.
    Refused {
        /// Code of the error catalogue.
        #[schema(example = "username_taken")]
        code: &'static str,
        /// The same in words.
        detail: &'static str,
        /// Advice on what to do.
        fix: &'static str,
        /// The fields that are wrong; their pointers begin at the row.
        errors: Vec<FieldError>,
    },
}

impl From<BatchResult> for RowResult {
    fn from(result: BatchResult) -> Self {
        match result {
            BatchResult::Invited(invitation) => {
                Self::Invited { invitation_id: invitation.id, user_id: invitation.user_id }
            }
            BatchResult::Refused(error) => Self::Refused {
                code: error.code.as_str(),
                detail: error.code.detail(),
                fix: error.code.fix(),
                errors: error.violations.iter().map(FieldError::from).collect(),
            },
        }
    }
}

impl From<service::InvitationBatch> for InvitationBatch {
    fn from(batch: service::InvitationBatch) -> Self {
        let results: Vec<RowResult> = batch.results.into_iter().map(RowResult::from).collect();
        let invited = results.iter().filter(|result| matches!(result, RowResult::Invited { .. })).count();
        Self { id: batch.id, invited, refused: results.len() - invited, results }
    }
}

/// Invite many people.
///
/// For operators and owners. One transaction invites every person whose row is right; a row that is wrong, or
/// whose username is taken, is refused alone and told why. Either all of that is done, with the mails, or nothing.
/// With an `Idempotency-Key` a repeat invites no person twice.
#[utoipa::path(
    operation_id = "create_invitation_batch", tag = "invitations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateInvitationBatch,
    responses(
        (status = 201, description = "The result of each row", body = InvitationBatch, headers(
            ("Location" = String, description = "The list of its invitations"),
        )),
        BatchProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/invitation-batches")]
async fn create_invitation_batch(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateInvitationBatch, BATCH_MAX_BYTES>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let batch =
        service.people.create_invitation_batch(&caller.0, account_id, new.body.into(), new.key.as_ref()).await?;
    let location = format!("/v1/accounts/{account_id}/invitations?batch_id={}", batch.resource.id);
    Ok(recorded(location, batch.replayed, &InvitationBatch::from(batch.resource)))
}
