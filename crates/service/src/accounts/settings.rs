//! Account settings (A6): owners set them, every user with a role reads them.

use domain::AccountId;
use domain::account::Account;
use domain::account_settings::AccountSettings;
use domain::audit::AuditAction;
use domain::network::Network;
use domain::portal::Portal;
use domain::role::Permission;
use serde_json::json;

use crate::accounts::Accounts;
use crate::core::account;
use crate::core::audit::AuditEntry;
use crate::core::caller::{Caller, Identity};
use crate::core::error::{Code, Error, Result, Violation};
use crate::core::merge::MergePatch;
use crate::core::version::Versioned;

impl Accounts {
    /// Changes an account's settings. They hold from the next sign-in and the next refresh on, of live sessions
    /// too (I3). Access is for people to decide: no API key changes it (A6), and no change leaves every
    /// break-glass user outside (A4).
    pub async fn update_account_settings(
        &self,
        caller: &Caller,
        target: Versioned<AccountId>,
        patch: MergePatch<AccountSettings>,
    ) -> Result<Account> {
        let id = target.id;
        caller.authorize(id, Permission::ManageSettings)?;
        let mut tx = self.core.store.begin().await?;
        storage::accounts::hold(&mut tx, id).await?;
        let before = account(&mut tx, id).await?;
        let expected = target.expect(before.updated_at)?;
        let mut after = before.clone();
        after.settings = patch.applied_to(&before.settings)?;
        let changes_access = access(&before.settings) != access(&after.settings);
        if changes_access {
            check_is_a_person(caller)?;
        }
        check(caller, &after.settings)?;
        if changes_access {
            self.people.guard_settings(&mut tx, &before, &after.settings).await?;
        }
        after.updated_at = self.core.next_version(before.updated_at);
        storage::accounts::update(&mut tx, &after, expected).await?;
        let entry = AuditEntry {
            account_id: Some(id),
            action: AuditAction::AccountSettingsUpdated,
            target: id.to_string(),
            before: json!(before.settings),
            after: json!(after.settings),
        };
        self.core.record(&mut tx, caller, entry).await?;
        tx.commit().await?;
        Ok(after)
    }
}

/// The settings that decide about access.
fn access(settings: &AccountSettings) -> (bool, &[Network]) {
    (settings.require_email_mfa, &settings.allowed_networks)
}

/// Refuses API keys. An operator may change access as well, to help an owner whose network changed overnight; the
/// audit log says so.
fn check_is_a_person(caller: &Caller) -> Result<()> {
    match caller.identity {
        Identity::ApiKey(_) => {
            let detail = "An API key does not change allowed_networks or require_email_mfa; an owner does, signed in";
            Err(Error::new(Code::Forbidden).with_detail(detail))
        }
        Identity::Operator(_) | Identity::CommandLine | Identity::User(_) => Ok(()),
    }
}

fn check(caller: &Caller, settings: &AccountSettings) -> Result<()> {
    let wrong = settings.errors().into_iter();
    let wrong = wrong.map(|error| Violation { field: format!("/{}", error.property()), detail: error.to_string() });
    let violations: Vec<Violation> = wrong.chain(excluded(caller, settings)).collect();
    if violations.is_empty() { Ok(()) } else { Err(Error::invalid_all(violations)) }
}

/// Reports an allow list that would exclude the caller's own address. The allowed networks do not bind an
/// operator.
fn excluded(caller: &Caller, settings: &AccountSettings) -> Option<Violation> {
    let address = caller.address.filter(|_| caller.own_account().is_some())?;
    (!settings.admits(Portal::Admin, address)).then(|| Violation {
        field: "/allowed_networks".into(),
        detail: format!("would exclude you: add a network that contains your own address, {address}"),
    })
}
