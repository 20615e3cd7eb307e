//! A queue in which groups take turns, and which a group cannot fill while others want in.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

use domain::network::{Network, enclosing};
use domain::throttle::ThrottleKey;

use super::Claim;

/// Most groups that are remembered with their last turn; about half of them are forgotten when there are more.
const REMEMBERED_MAX: usize = 8_192;

/// Networks of each claim: region, site and client.
const NETWORKS: usize = 3;

/// A group of clients that is served in turns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Group {
    Network(Network),
    Account(ThrottleKey),
}

/// The groups that one claim is of: its networks, the widest first, and its account.
pub(super) type Groups = Vec<Group>;

/// Number that identifies an entry.
pub(super) type Ticket = u64;

impl Group {
    pub fn of(claim: &Claim) -> Groups {
        let address = claim.address.unwrap_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED));
        let mut networks: Groups =
            enclosing(address).into_iter().rev().map(|(_, network)| Self::Network(network)).collect();
        // As many for every address, so that claims compare: an IPv4 client is its own site.
        while let (true, Some(client)) = (networks.len() < NETWORKS, networks.last().copied()) {
            networks.push(client);
        }
        networks.push(Self::Account(claim.account));
        networks
    }
}

/// Queue of entries that wait for their turn.
pub(super) struct Queue<T> {
    limit: usize,
    waiting: Vec<Entry<T>>,
    /// The turn in which a group was served last.
    last: HashMap<Group, u64>,
    turn: u64,
    ticket: Ticket,
}

struct Entry<T> {
    ticket: Ticket,
    groups: Groups,
    value: T,
}

impl<T> Queue<T> {
    pub fn new(limit: usize) -> Self {
        Self { limit, waiting: vec![], last: HashMap::new(), turn: 0, ticket: 0 }
    }

    /// Adds an entry, in a full queue in place of the newest of a group that has more of them; none if there is no
    /// such group.
    pub fn push(&mut self, groups: Groups, value: T) -> Option<Ticket> {
        if self.waiting.len() >= self.limit {
            let crowded = self.crowded(&groups)?;
            let newest = self.waiting.iter().rposition(|entry| entry.groups.contains(&crowded))?;
            self.waiting.remove(newest);
        }
        self.ticket += 1;
        self.waiting.push(Entry { ticket: self.ticket, groups, value });
        Some(self.ticket)
    }

    /// The group with the most entries, of the first kind of which some group has more than the newcomer's would have.
    fn crowded(&self, newcomer: &Groups) -> Option<Group> {
        // The kinds of groups are the positions: networks from the front, the account at the back.
        let crowded = (0..newcomer.len()).find_map(|position| {
            let own = newcomer.get(position)?;
            let mut counts = HashMap::<Group, usize>::new();
            for group in self.waiting.iter().filter_map(|entry| entry.groups.get(position).copied()) {
                *counts.entry(group).or_default() += 1;
            }
            let with_newcomer = counts.get(own).copied().unwrap_or_default() + 1;
            counts.into_iter().filter(|(_, count)| *count > with_newcomer).max_by_key(|(_, count)| *count)
        });
        crowded.map(|(group, _)| group)
    }

    /// Takes the entry out whose turn it is: that of the network which was served longest ago, or of such an
    /// account, in turns.
    pub fn pop(&mut self) -> Option<T> {
        let by_account = self.turn % 2 == 1;
        let position = (0..self.waiting.len()).min_by_key(|position| self.order(*position, by_account))?;
        let entry = self.waiting.remove(position);
        self.served(&entry.groups);
        Some(entry.value)
    }

    fn order(&self, position: usize, by_account: bool) -> (Vec<u64>, Ticket) {
        let Some(entry) = self.waiting.get(position) else { return (vec![], Ticket::MAX) };
        let mut turns: Vec<u64> =
            entry.groups.iter().map(|group| self.last.get(group).copied().unwrap_or_default()).collect();
        if by_account {
            turns.rotate_right(1);
        }
        (turns, entry.ticket)
    }

    /// Writes down that these groups had a turn.
    pub fn served(&mut self, groups: &Groups) {
        self.turn += 1;
        for group in groups {
            self.last.insert(*group, self.turn);
        }
        if self.last.len() > REMEMBERED_MAX {
            let mut turns: Vec<u64> = self.last.values().copied().collect();
            turns.sort_unstable_by_key(|turn| Reverse(*turn));
            let oldest = turns.get(REMEMBERED_MAX / 2).copied().unwrap_or_default();
            self.last.retain(|_, turn| *turn > oldest);
        }
    }

    /// Takes an entry out whose client waits no longer.
    pub fn remove(&mut self, ticket: Ticket) {
        self.waiting.retain(|entry| entry.ticket != ticket);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn groups(address: &str, account: &str) -> Groups {
        let account = ThrottleKey::of("account", &[account]);
        Group::of(&Claim { address: Some(address.parse().unwrap()), account, is_known: false })
    }

    fn drained(queue: &mut Queue<&'static str>) -> Vec<&'static str> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    /// Proves A4: networks take turns whatever number of addresses they send from, and so do accounts within one
    /// network.
    #[test]
    fn networks_and_accounts_take_turns() {
        let mut queue = Queue::new(100);
        for n in 0..20 {
            queue.push(groups(&format!("2001:db8:1:{n:x}::1"), "acme"), "flood");
        }
        queue.push(groups("198.51.100.1", "acme"), "elsewhere");
        queue.push(groups("2001:db8:1:3::1", "other"), "another account");
        let order = drained(&mut queue);
        assert_eq!(&order[..3], ["flood", "another account", "elsewhere"]);
        let mut queue = Queue::new(100);
        for n in 0..20 {
            queue.push(groups(&format!("198.51.{n}.1"), "acme"), "flood from everywhere");
        }
        queue.push(groups("203.0.113.1", "other"), "another account");
        assert_eq!(drained(&mut queue)[1], "another account");
    }

    /// Proves A4: a group that fills the queue gives a place to others, also to those of its own network who are
    /// of another client or account; equals displace no entry.
    #[test]
    fn a_full_queue_has_room_for_those_who_have_less_of_it() {
        let table = [
            ("2001:db8:2::1", "acme", true),
            ("198.51.100.1", "acme", true),
            ("2001:db8:1:100::1", "acme", true),
            ("2001:db8:1:7::1", "acme", false),
            ("2001:db8:1:7::1", "other", true),
        ];
        for (address, account, is_taken) in table {
            let mut queue = Queue::new(10);
            for n in 0..10 {
                queue.push(groups(&format!("2001:db8:1:{n:x}::1"), "acme"), "flood").unwrap();
            }
            assert_eq!(queue.push(groups(address, account), "other").is_some(), is_taken, "{address} {account}");
            assert_eq!(queue.waiting.len(), 10);
        }
    }

    /// Proves A4: what is remembered of those who were served is bounded.
    #[test]
    fn the_memory_is_bounded() {
        let mut queue = Queue::<()>::new(1);
        for n in 0..20_000_u32 {
            queue.served(&groups(&Ipv4Addr::from_bits(n << 8).to_string(), &n.to_string()));
            assert!(queue.last.len() <= REMEMBERED_MAX);
        }
        assert!(queue.last.len() > REMEMBERED_MAX / 4);
    }
}
