//! Core of the use-cases: the store, the ports to the world, settings, clock, ids, and what every change does alike
//! (audit events, idempotency, versions, merge patches, fair permits). It knows no family.
//!
//! Uses: nothing.

pub(crate) mod audit;
pub(crate) mod caller;
pub(crate) mod error;
pub(crate) mod fair_semaphore;
pub(crate) mod idempotency;
mod ids;
pub(crate) mod merge;
pub(crate) mod pointer;
pub mod ports;
pub(crate) mod reason;
pub(crate) mod search;
pub(crate) mod settings;
pub(crate) mod version;

use domain::account::Account;
use domain::{AccountId, SessionId};
use jiff::Timestamp;
use storage::{Store, Tx};
use uuid::Uuid;

use error::{Code, Error, Result};
use ids::IdSequence;
use ports::Ports;
use settings::Settings;

/// Things that every use-case needs: the store, the ports, the settings, and ids in order.
pub(crate) struct Core {
    pub store: Store,
    pub ports: Ports,
    pub settings: Settings,
    ids: IdSequence,
}

impl Core {
    /// Puts the core over a store and the world.
    pub fn new(store: Store, ports: Ports, settings: Settings) -> Self {
        Self { store, ports, settings, ids: IdSequence::default() }
    }

    /// The time, as the rest of Vestibule sees it.
    pub fn now(&self) -> Timestamp {
        self.ports.clock.now()
    }

    pub fn random<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        self.ports.entropy.fill(&mut bytes);
        bytes
    }

    pub fn uuid(&self) -> Uuid {
        self.ids.next(self.now(), self.random())
    }

    pub fn session_id(&self) -> SessionId {
        SessionId::from_uuid(self.uuid())
    }
}

/// The account of this id, or a refusal.
pub(crate) async fn account(tx: &mut Tx, account_id: AccountId) -> Result<Account> {
    storage::accounts::by_id(tx, account_id).await?.ok_or_else(|| Error::new(Code::NotFound))
}
