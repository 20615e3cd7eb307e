//! Requiring SSO of a portal, and going back (F1 to F5).

use std::collections::BTreeMap;

use actix_web::{HttpResponse, get, patch, post, web};
use domain::mail::MailKind;
use domain::portal::Portal;
use domain::sso_migration::lifecycle::Signature;
use domain::sso_migration::{
    ActionName, Applied, Blocker, Choice, Decision as DomainDecision, Direction, Effects, MigrationOptions,
    MigrationState, PlanDigest, SignOff, SsoMigration as DomainMigration,
};
use domain::text::Label;
use domain::{AccountId, SsoMigrationId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use service::{BlockerWords, MigrationFilter, NewSsoMigration, Service, UserDecision, Versioned, blocker_words};
use utoipa::ToSchema;
use utoipa_actix_web::service_config::ServiceConfig;

use super::accounts::{AccountPath, IdempotencyKeyParameter, IfMatchParameter, PageParameters};
use super::answer::{List, created, versioned};
use super::names::{MigrationBlockerName, MigrationChoiceName, MigrationDirectionName, MigrationStateName, PortalName};
use crate::extract::{Authenticated, Creation, Ids, IfMatch, JsonBody, Listing};
use crate::problem::Problem;
use crate::problem::documentation::problems;

problems! {
    ListProblems = [READ] + InvalidInput;
    ReadProblems = [READ];
    CreateProblems = [READ, BODY] + IdempotencyKeyReused;
    DecideProblems = [READ, BODY] + MigrationOver + PreconditionFailed;
    SignOffProblems = [READ, BODY] + MigrationOutdated + MigrationBlocked + MigrationOver + BreakGlassRequired
        + PreconditionFailed;
    ApplyProblems = [READ] + MigrationOutdated + MigrationBlocked + MigrationNotSignedOff + MigrationOver
        + BreakGlassRequired + SsoAccountNotConfigured + PageNotConfigured + PreconditionFailed;
}

/// Registers the operations on SSO migrations.
pub fn register(config: &mut ServiceConfig<'_>) {
    config
        .service(create_sso_migration)
        .service(list_sso_migrations)
        .service(get_sso_migration)
        .service(decide_sso_migration)
        .service(sign_off_sso_migration)
        .service(apply_sso_migration);
}

/// A plan of requiring SSO, or of going back. Its rows say what becomes of each user.
#[derive(Debug, Serialize, ToSchema)]
struct SsoMigration {
    /// Identifier of the migration.
    #[schema(value_type = String, example = "mig_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    id: SsoMigrationId,
    /// Account that the migration belongs to.
    #[schema(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    account_id: AccountId,
    /// Portal whose users the migration changes.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Direction: towards required SSO, or back.
    #[schema(value_type = MigrationDirectionName)]
    direction: Direction,
    /// Current state of the migration.
    #[schema(value_type = MigrationStateName)]
    state: MigrationState,
    /// The applied migration that it puts back.
    #[schema(value_type = Option<String>)]
    reverts: Option<SsoMigrationId>,
    /// Options that the plan was made with.
    options: SsoMigrationOptions,
    /// Decisions that owners made about single users.
    decisions: Vec<UserDecisionBody>,
    /// Digest of the plan and of everything it rests on; an owner signs this value.
    #[schema(value_type = String, example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    digest: PlanDigest,
    /// Numbers of users, rows and mails in the plan.
    counts: SsoMigrationCounts,
    /// Reasons why the plan could not be signed off when it was made or last decided upon.
    #[schema(value_type = Vec<MigrationBlockerName>)]
    blockers: Vec<Blocker>,
    /// The blockers in words, each with its remedy.
    blocker_details: Vec<BlockerDetail>,
    /// The owner who planned it, whose username it retains.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    created_by: UserId,
    /// Time at which the migration was planned.
    created_at: Timestamp,
    /// Time of the last change.
    updated_at: Timestamp,
    /// Signature under the plan; null where no owner has signed, or a later decision made it void.
    signed_off: Option<SignedOff>,
    /// Record of the application; null until the plan is applied.
    applied: Option<AppliedBy>,
}

/// Options of a migration; each that is left out has its default.
#[expect(clippy::struct_excessive_bools, reason = "independent switches of a form, each with its own meaning")]
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
struct SsoMigrationOptions {
    /// Requiring: whether the owner who plans keeps their username and form login. Default true.
    retain_admin: bool,
    /// Requiring: whether the assigned roles of removed duplicates go to the user who stays, where nothing else is
    /// decided. Default false.
    unite_roles: bool,
    /// Requiring: whether sessions that began through SSO end too. Default false.
    end_sso_sessions: bool,
    /// Requiring: whether deactivated users are told too. Default true.
    mail_inactive: bool,
    /// Going back: whether users get back the usernames that they had. Default true.
    restore_usernames: bool,
    /// Going back: whether removed duplicates come back, where nothing else is decided. Default true.
    restore_duplicates: bool,
}

impl From<MigrationOptions> for SsoMigrationOptions {
    fn from(options: MigrationOptions) -> Self {
        let MigrationOptions {
            retain_admin,
            unite_roles,
            end_sso_sessions,
            mail_inactive,
            restore_usernames,
            restore_duplicates,
        } = options;
        Self { retain_admin, unite_roles, end_sso_sessions, mail_inactive, restore_usernames, restore_duplicates }
    }
}

impl From<SsoMigrationOptions> for MigrationOptions {
    fn from(options: SsoMigrationOptions) -> Self {
        let SsoMigrationOptions {
            retain_admin,
            unite_roles,
            end_sso_sessions,
            mail_inactive,
            restore_usernames,
            restore_duplicates,
        } = options;
        Self { retain_admin, unite_roles, end_sso_sessions, mail_inactive, restore_usernames, restore_duplicates }
    }
}

impl Default for SsoMigrationOptions {
    fn default() -> Self {
        MigrationOptions::default().into()
    }
}

/// Numbers of users, rows and mails in a plan.
#[derive(Debug, Serialize, ToSchema)]
struct SsoMigrationCounts {
    /// Number of users in the plan.
    users: usize,
    /// Number of rows for each action.
    #[schema(value_type = BTreeMap<String, usize>)]
    actions: BTreeMap<ActionName, usize>,
    /// Number of mails for each kind.
    #[schema(value_type = BTreeMap<String, usize>)]
    mails: BTreeMap<MailKind, usize>,
}

/// A reason why a plan cannot be signed off, with its remedy.
#[derive(Debug, Serialize, ToSchema)]
struct BlockerDetail {
    /// Code of the blocker, as in `blockers`.
    #[schema(value_type = MigrationBlockerName)]
    code: Blocker,
    /// Description of the blocker in words.
    #[schema(example = "rows of action conflict wait for a decision")]
    detail: &'static str,
    /// Remedy that removes the blocker.
    #[schema(example = "Decide each of them by one of its choices.")]
    fix: &'static str,
}

impl From<Blocker> for BlockerDetail {
    fn from(code: Blocker) -> Self {
        let BlockerWords { detail, fix } = blocker_words(code);
        Self { code, detail, fix }
    }
}

/// A signature under a plan.
#[derive(Debug, Serialize, ToSchema)]
struct SignedOff {
    /// Owner who signed the plan.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    by: UserId,
    /// Time of the signature.
    at: Timestamp,
    /// Time from which the signature no longer counts: 24 hours after it was given.
    expires_at: Timestamp,
    /// The owner's reason to sign although no test sign-in had passed; null where they gave none.
    #[schema(value_type = Option<String>, example = "The identity provider is in maintenance; tested by hand yesterday")]
    override_reason: Option<Label>,
}

impl From<SignOff> for SignedOff {
    fn from(SignOff { by, at, expires_at, untested }: SignOff) -> Self {
        Self { by, at, expires_at, override_reason: untested.map(|word| word.reason) }
    }
}

/// Record of an applied plan: the owner, the time, and its effects beside the rows.
#[derive(Debug, Serialize, ToSchema)]
struct AppliedBy {
    /// Owner who applied the plan.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    by: UserId,
    /// Time at which the plan was applied.
    at: Timestamp,
    /// Sessions that ended, also those that had been switched to other accounts.
    sessions_ended: u64,
    /// One-time links that ended.
    links_ended: u64,
}

/// Decision about one user of the plan.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct UserDecisionBody {
    /// User that the decision is about.
    #[schema(value_type = String, example = "usr_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    user_id: UserId,
    /// One of the row's `choices`; null takes an earlier decision back.
    #[schema(value_type = Option<MigrationChoiceName>)]
    choice: Option<Choice>,
    /// Removed duplicates only: whether the assigned roles go to the user who stays; null to follow the options.
    unite_roles: Option<bool>,
}

impl From<UserDecisionBody> for UserDecision {
    fn from(body: UserDecisionBody) -> Self {
        let UserDecisionBody { user_id, choice, unite_roles } = body;
        Self { user_id, decision: choice.map(|choice| DomainDecision { choice, unite_roles }) }
    }
}

impl From<(UserId, DomainDecision)> for UserDecisionBody {
    fn from((user_id, decision): (UserId, DomainDecision)) -> Self {
        let DomainDecision { choice, unite_roles } = decision;
        Self { user_id, choice: Some(choice), unite_roles }
    }
}

impl From<Applied> for AppliedBy {
    fn from(Applied { by, at, effects }: Applied) -> Self {
        let Effects { sessions_ended, links_ended } = effects;
        Self { by, at, sessions_ended, links_ended }
    }
}

impl From<DomainMigration> for SsoMigration {
    fn from(migration: DomainMigration) -> Self {
        let counts = migration.counts;
        Self {
            id: migration.id,
            account_id: migration.account_id,
            portal: migration.portal,
            direction: migration.direction,
            state: migration.progress.state(),
            reverts: migration.reverts,
            options: migration.options.into(),
            decisions: migration.decisions.into_iter().map(UserDecisionBody::from).collect(),
            digest: migration.digest,
            counts: SsoMigrationCounts { users: counts.users, actions: counts.actions, mails: counts.mails },
            blocker_details: migration.blockers.iter().copied().map(BlockerDetail::from).collect(),
            blockers: migration.blockers,
            created_by: migration.created_by,
            created_at: migration.created_at,
            updated_at: migration.updated_at,
            signed_off: migration.progress.sign_off().cloned().map(SignedOff::from),
            applied: migration.progress.applied().copied().map(AppliedBy::from),
        }
    }
}

/// Migration to plan for a portal.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct CreateSsoMigration {
    /// Portal whose users are to be migrated.
    #[schema(value_type = PortalName)]
    portal: Portal,
    /// Direction: towards required SSO, or back.
    #[schema(value_type = MigrationDirectionName)]
    direction: Direction,
    /// Options of the plan; each has a default.
    #[serde(default)]
    #[schema(required = false)]
    options: SsoMigrationOptions,
}

/// Decisions about users of a plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct DecideSsoMigration {
    /// Decisions about the users named here; decisions about other users stay.
    decisions: Vec<UserDecisionBody>,
}

/// Signature of an owner under a plan.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct SignOffSsoMigration {
    /// Digest of the plan that the owner has read.
    #[schema(value_type = String, example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08")]
    digest: PlanDigest,
    /// Reason to require SSO although no test sign-in passed through the connection as it is now. One line; it
    /// stays on record, and holds until the connection is changed.
    #[serde(default)]
    #[schema(value_type = Option<String>, required = false, max_length = 200)]
    override_reason: Option<Label>,
}

/// A migration in a path.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Path)]
pub struct SsoMigrationPath {
    /// Identifier of the account.
    #[param(value_type = String, example = "acc_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pub account_id: AccountId,
    /// Identifier of the migration.
    #[param(value_type = String, example = "mig_01890a5d6c0e7c3b8f0e1d2c3b4a5968")]
    pub migration_id: SsoMigrationId,
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct SsoMigrationsQuery {
    /// Portal whose migrations are listed; all where it is left out.
    #[param(value_type = Option<PortalName>)]
    portal: Option<Portal>,
}

/// Preview a migration.
///
/// For the account's owners. Nothing changes: the plan lists what would become of each user, every mail, and every
/// conflict that waits for a decision. It takes the place of one that was planned for this portal and not applied.
#[utoipa::path(
    operation_id = "create_sso_migration", tag = "sso migrations", security(("access_token" = [])),
    params(AccountPath, IdempotencyKeyParameter), request_body = CreateSsoMigration,
    responses(
        (status = 201, description = "The plan that was created", body = SsoMigration, headers(
            ("Location" = String, description = "Path of the new resource"), ("ETag" = String, description = "Version, for `If-Match` of a change"),
        )),
        CreateProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/sso-migrations")]
async fn create_sso_migration(
    caller: Authenticated,
    path: Ids<AccountPath>,
    new: Creation<CreateSsoMigration>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let account_id = path.0.account_id;
    let CreateSsoMigration { portal, direction, options } = new.body;
    let planned = NewSsoMigration { portal, direction, options: options.into() };
    let made = service.migrations.create_sso_migration(&caller.0, account_id, planned, new.key.as_ref()).await?;
    let body = SsoMigration::from(made.resource);
    let location = format!("/v1/accounts/{account_id}/sso-migrations/{}", body.id);
    Ok(created(location, body.updated_at, made.replayed, &body))
}

/// List migrations.
///
/// For operators, and for users of the account who hold a role; the newest first. They stay for good.
#[utoipa::path(
    operation_id = "list_sso_migrations", tag = "sso migrations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])),
    params(AccountPath, SsoMigrationsQuery, PageParameters),
    responses((status = 200, description = "A page of migrations", body = List<SsoMigration>), ListProblems),
)]
#[get("/v1/accounts/{account_id}/sso-migrations")]
async fn list_sso_migrations(
    caller: Authenticated,
    path: Ids<AccountPath>,
    listing: Listing<SsoMigrationsQuery>,
    service: web::Data<Service>,
) -> Result<web::Json<List<SsoMigration>>, Problem> {
    let filter = MigrationFilter { portal: listing.filter.portal };
    let found = service.migrations.list_sso_migrations(&caller.0, path.0.account_id, &filter, &listing.page).await?;
    Ok(web::Json(List::page(found)))
}

/// Read a migration.
///
/// For operators, and for users of the account who hold a role.
#[utoipa::path(
    operation_id = "get_sso_migration", tag = "sso migrations",
    security(("operator_key" = []), ("access_token" = []), ("api_key" = [])), params(SsoMigrationPath),
    responses(
        (status = 200, description = "The migration as it is now", body = SsoMigration,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ReadProblems,
    ),
)]
#[get("/v1/accounts/{account_id}/sso-migrations/{migration_id}")]
async fn get_sso_migration(
    caller: Authenticated,
    path: Ids<SsoMigrationPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let found = service.migrations.get_sso_migration(&caller.0, path.0.account_id, path.0.migration_id).await?;
    Ok(versioned(found.updated_at, &SsoMigration::from(found)))
}

/// Decide upon users.
///
/// For the account's owners. The plan is made anew with the decisions, and has another digest; a signature is void.
#[utoipa::path(
    operation_id = "decide_sso_migration", tag = "sso migrations", security(("access_token" = [])),
    params(SsoMigrationPath, IfMatchParameter), request_body = DecideSsoMigration,
    responses(
        (status = 200, description = "The plan as it is now", body = SsoMigration,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        DecideProblems,
    ),
)]
#[patch("/v1/accounts/{account_id}/sso-migrations/{migration_id}/decisions")]
async fn decide_sso_migration(
    caller: Authenticated,
    path: Ids<SsoMigrationPath>,
    seen: IfMatch,
    decided: JsonBody<DecideSsoMigration>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let target = Versioned { id: path.0.migration_id, seen: seen.0 };
    let decided: Vec<UserDecision> = decided.0.decisions.into_iter().map(UserDecision::from).collect();
    let planned = service.migrations.decide_sso_migration(&caller.0, path.0.account_id, target, &decided).await?;
    Ok(versioned(planned.updated_at, &SsoMigration::from(planned)))
}

/// Sign a plan off.
///
/// For the account's owners. The signature covers the plan of this digest and holds for 24 hours. It is refused
/// where anything that the plan rests on has changed since, and until a test sign-in has passed through the
/// connection as it is now, unless the owner gives an `override_reason`.
#[utoipa::path(
    operation_id = "sign_off_sso_migration", tag = "sso migrations", security(("access_token" = [])),
    params(SsoMigrationPath), request_body = SignOffSsoMigration,
    responses(
        (status = 200, description = "The plan as it is now", body = SsoMigration,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        SignOffProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/sso-migrations/{migration_id}/sign-off")]
async fn sign_off_sso_migration(
    caller: Authenticated,
    path: Ids<SsoMigrationPath>,
    signature: JsonBody<SignOffSsoMigration>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let SsoMigrationPath { account_id, migration_id } = path.0;
    let SignOffSsoMigration { digest, override_reason } = signature.0;
    let signature = Signature { digest, override_reason };
    let signed = service.migrations.sign_off_sso_migration(&caller.0, account_id, migration_id, signature).await?;
    Ok(versioned(signed.updated_at, &SsoMigration::from(signed)))
}

/// Apply a plan.
///
/// For the account's owners. Everything in the plan is done, with the mails, or nothing. It is refused where
/// anything that the plan rests on has changed since it was signed, and where the connection is another one than
/// was tested or answered for. A caller who repeats the request is told that the plan is applied.
#[utoipa::path(
    operation_id = "apply_sso_migration", tag = "sso migrations", security(("access_token" = [])),
    params(SsoMigrationPath),
    responses(
        (status = 200, description = "The plan, carried out", body = SsoMigration,
            headers(("ETag" = String, description = "Version, for `If-Match` of a change"))),
        ApplyProblems,
    ),
)]
#[post("/v1/accounts/{account_id}/sso-migrations/{migration_id}/apply")]
async fn apply_sso_migration(
    caller: Authenticated,
    path: Ids<SsoMigrationPath>,
    service: web::Data<Service>,
) -> Result<HttpResponse, Problem> {
    let SsoMigrationPath { account_id, migration_id } = path.0;
    let applied = service.migrations.apply_sso_migration(&caller.0, account_id, migration_id).await?;
    Ok(versioned(applied.updated_at, &SsoMigration::from(applied)))
}
