//! A plan as it would be made now: for a preview, and for holding a signature against it.

use domain::AccountId;
use domain::application::Page;
use domain::sso::connection::SamlConnection;
use domain::sso_migration::back::{BackFacts, done, plan_back};
use domain::sso_migration::lifecycle::CurrentPlan;
use domain::sso_migration::plan::ConnectionFacts;
use domain::sso_migration::require::{RequireFacts, plan_require};
use domain::sso_migration::{Decisions, Direction, Person, Plan, PlanContext, PlanDigest, Row, SsoMigration};
use storage::Tx;

use crate::connections::portal_connection;
use crate::core::error::{Error, Result};
use crate::migrations::Migrations;

/// A plan, and its digest.
pub(super) struct Planned {
    pub plan: Plan,
    pub digest: PlanDigest,
    /// The portal's connection that it was made with.
    pub connection: Option<SamlConnection>,
}

impl Planned {
    /// State of the plan that a signature is compared with.
    pub fn current(&self) -> CurrentPlan<'_> {
        CurrentPlan {
            digest: &self.digest,
            blockers: &self.plan.blockers,
            connection_version: self.connection.as_ref().map(|connection| connection.updated_at),
        }
    }
}

/// Everything that a plan is made of, read at one time.
struct Facts {
    people: Vec<Person>,
    /// Rows that the migration changed and that are put back.
    changed: Vec<Row>,
    connection: Option<ConnectionFacts>,
}

impl Migrations {
    /// The plan of a migration, as of now.
    pub(super) async fn planned_again(&self, tx: &mut Tx, migration: &SsoMigration) -> Result<Planned> {
        self.planned(tx, migration.account_id, context(migration, &migration.decisions)).await
    }

    /// The plan of what is asked, as of now. Thousands of users take a good part of a second: off the async threads.
    pub(super) async fn planned(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        context: PlanContext<'_>,
    ) -> Result<Planned> {
        let connection = portal_connection(tx, account_id, context.portal).await?;
        let facts = self.plan_facts(tx, account_id, connection.as_ref(), &context).await?;
        let decisions = context.decisions.clone();
        let PlanContext { portal, direction, acting, reverts, options, .. } = context;
        let work = move || {
            let context = PlanContext { portal, direction, acting, reverts, options, decisions: &decisions };
            let plan = plan(facts, &context);
            Planned { digest: PlanDigest::of(&plan, &context), plan, connection }
        };
        tokio::task::spawn_blocking(work).await.map_err(Error::internal)
    }

    async fn plan_facts(
        &self,
        tx: &mut Tx,
        account_id: AccountId,
        connection: Option<&SamlConnection>,
        context: &PlanContext<'_>,
    ) -> Result<Facts> {
        let portal = context.portal;
        let changed = match context.reverts {
            Some(reverts) => storage::sso_migration_rows::changed(tx, account_id, reverts).await?,
            None => vec![],
        };
        Ok(Facts {
            connection: match connection {
                Some(connection) => Some(self.connection_facts(tx, connection, context.direction).await?),
                None => None,
            },
            people: storage::sso_migration_effects::people(tx, account_id, portal, self.core.now()).await?,
            changed,
        })
    }

    async fn connection_facts(
        &self,
        tx: &mut Tx,
        connection: &SamlConnection,
        direction: Direction,
    ) -> Result<ConnectionFacts> {
        let (account_id, portal) = (connection.account_id, connection.portal);
        let application = storage::applications::default_of(tx, account_id, portal).await?;
        let tested = storage::test_sign_ins::last_success(tx, account_id, connection.id).await?;
        let has_page = application.is_some_and(|application| match direction {
            Direction::Require => application.settings.initiate_login_uri.is_some(),
            Direction::Revert => application.settings.pages.url(Page::Login).is_some(),
        });
        let is_complete = connection.settings.missing(self.core.now()).is_empty();
        let is_tested = tested.is_some_and(|last| last.is_current);
        Ok(ConnectionFacts { mode: connection.mode, is_complete, has_page, is_tested })
    }
}

fn plan(facts: Facts, context: &PlanContext<'_>) -> Plan {
    let PlanContext { portal, direction, acting, options, decisions, .. } = *context;
    let Facts { people, changed, connection } = facts;
    match direction {
        Direction::Require => {
            plan_require(&RequireFacts { portal, acting, people: &people, connection, options, decisions })
        }
        Direction::Revert => {
            let done = done(changed);
            plan_back(&BackFacts { portal, people: &people, done: &done, connection, options, decisions })
        }
    }
}

/// Parameters that the plan of a migration is made from, with these decisions.
pub(super) fn context<'a>(migration: &SsoMigration, decisions: &'a Decisions) -> PlanContext<'a> {
    PlanContext {
        portal: migration.portal,
        direction: migration.direction,
        acting: migration.created_by,
        reverts: migration.reverts,
        options: migration.options,
        decisions,
    }
}
