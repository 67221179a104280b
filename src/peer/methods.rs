//! Where peers have their functions, as their `system/listMethods` told.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::service_of;
use crate::store::PeerId;
use crate::xmlrpc::Value;

/// How long a peer's list of methods is believed: plugins are installed a few times a year, and an
/// administrator who has just installed one waits some minutes without wondering.
const LIFETIME: Duration = Duration::from_mins(10);

/// How long it is believed that a function is *not* there: who ticks a service there tries it at once, and is not
/// to be told for minutes that it is missing. Callers that go on trying ask for the list this often.
const LIFETIME_OF_A_LACK: Duration = Duration::from_secs(10);

/// How many paths of functions we call are kept of a peer: there are about twenty such functions, each
/// perhaps in a few plugins. A peer must not fill our memory.
const MAX_PATHS: usize = 200;

/// Where functions for single sign-on stand: in the plugin of ours, which somebody has installed on
/// purpose, or in Moodle's and Mahara's own. Where a peer has a function twice, they go before others, in this
/// order.
const USUAL_PLUGINS: [&str; 2] = ["auth/mnetd/auth.php/", "auth/mnet/auth.php/"];

/// The lists of peers, as far as we call what stands in them.
#[derive(Debug, Default)]
pub struct Methods {
    lists: Mutex<HashMap<PeerId, List>>,
}

/// What is known of one peer.
#[derive(Debug)]
struct List {
    at: Instant,
    paths: Vec<String>,
    /// Paths that are not there, as the peer said when it was asked for them.
    absent: Vec<String>,
}

/// There is no list of a peer's that is still believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoList;

impl Methods {
    /// Where `function` is by a list that is still believed, those first that are most likely meant.
    pub fn recall(
        &self,
        peer: PeerId,
        function: &str,
        now: Instant,
    ) -> Result<Vec<String>, NoList> {
        match self.lock().get(&peer) {
            Some(list) => {
                let found = find(&list.paths, function);
                let lifetime = if found.is_empty() {
                    LIFETIME_OF_A_LACK
                } else {
                    LIFETIME
                };
                let is_believed = now.duration_since(list.at) < lifetime;
                is_believed.then_some(found).ok_or(NoList)
            }
            None => Err(NoList),
        }
    }

    /// Keeps a list that a peer sent, and says where `function` is by it.
    pub fn note(&self, peer: PeerId, listed: &Value, function: &str, now: Instant) -> Vec<String> {
        let paths = paths(listed);
        let found = find(&paths, function);
        let list = List {
            at: now,
            paths,
            absent: Vec::new(),
        };
        self.lock().insert(peer, list);
        found
    }

    /// A path under which a peer may have a function, though its list does not say so: Moodle's list has each
    /// function's name once, so where our plugin stands in it, Moodle's own does not, whether it is there or not
    /// (`mnet_system` in mnet/xmlrpc/serverlib.php). `None`: there is none, or it was asked for already.
    pub fn hidden(&self, peer: PeerId, function: &str) -> Option<String> {
        let [ours, moodles] = USUAL_PLUGINS.map(|plugin| format!("{plugin}{function}"));
        let lists = self.lock();
        let list = lists.get(&peer)?;
        let is_asked_for = list.paths.contains(&moodles) || list.absent.contains(&moodles);
        (list.paths.contains(&ours) && !is_asked_for).then_some(moodles)
    }

    /// Keeps what a peer said when it was asked for a path that its list may have hidden.
    pub fn note_hidden(&self, peer: PeerId, path: String, is_there: bool) {
        if let Some(list) = self.lock().get_mut(&peer) {
            if is_there {
                list.paths.push(path);
            } else {
                list.absent.push(path);
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, List>> {
        self.lists.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn find(paths: &[String], function: &str) -> Vec<String> {
    let is_it = |path: &&String| path.rsplit('/').next() == Some(function);
    let mut found: Vec<String> = paths.iter().filter(is_it).cloned().collect();
    found.sort_by_key(|path| {
        USUAL_PLUGINS
            .iter()
            .position(|plugin| path.starts_with(plugin))
            .unwrap_or(USUAL_PLUGINS.len())
    });
    found
}

/// The paths in an answer to `listMethods` that we may call: an array of them, or Mahara's struct of
/// path → function.
fn paths(listed: &Value) -> Vec<String> {
    let paths: Box<dyn Iterator<Item = String>> = match listed {
        Value::Array(paths) => Box::new(
            paths
                .iter()
                .filter_map(|path| path.to_text().map(std::borrow::Cow::into_owned)),
        ),
        Value::Struct(paths) => Box::new(paths.iter().map(|(path, _)| path.to_owned())),
        _ => Box::new(std::iter::empty()),
    };
    paths
        .filter(|path| service_of(path).is_some())
        .take(MAX_PATHS)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xmlrpc::Struct;

    const PEER: PeerId = PeerId(1);

    #[test]
    fn functions_are_found_in_both_shapes_of_a_list() {
        let now = Instant::now();
        let array = Value::Array(vec![
            "system/listMethods".into(),
            "local/mnetd/rpc.php/user_authorise".into(),
            "auth/mnet/auth.php/kill_child".into(),
        ]);
        let mahara: Value = Struct::new()
            .with("auth/mnet/auth.php/kill_child", "kill_child")
            .with("local/mnetd/rpc.php/user_authorise", "user_authorise")
            .into();
        for listed in [array, mahara] {
            let methods = Methods::default();
            let found = methods.note(PEER, &listed, "user_authorise", now);
            assert_eq!(found, ["local/mnetd/rpc.php/user_authorise"]);
            let recalled = methods.recall(PEER, "kill_child", now).unwrap();
            assert_eq!(recalled, ["auth/mnet/auth.php/kill_child"]);
            assert_eq!(methods.recall(PEER, "get_user", now), Ok(Vec::new()));
            assert_eq!(
                methods.recall(PEER, "get_user", now + LIFETIME),
                Err(NoList)
            );
            assert_eq!(methods.recall(PeerId(2), "get_user", now), Err(NoList));
        }
    }

    #[test]
    fn that_a_function_is_not_there_is_soon_forgotten() {
        let now = Instant::now();
        let methods = Methods::default();
        let listed = Value::Array(vec!["auth/mnetd/auth.php/kill_child".into()]);
        methods.note(PEER, &listed, "get_user", now);
        let later = now + LIFETIME_OF_A_LACK;
        assert_eq!(methods.recall(PEER, "get_user", now), Ok(Vec::new()));
        assert_eq!(methods.recall(PEER, "get_user", later), Err(NoList));
        assert!(methods.recall(PEER, "kill_child", later).is_ok());
        for expired in [now + LIFETIME, now + LIFETIME * 2] {
            assert_eq!(methods.recall(PEER, "kill_child", expired), Err(NoList));
        }
    }

    #[test]
    fn the_usual_plugins_go_before_others() {
        let now = Instant::now();
        let listed = Value::Array(vec![
            "auth/other/auth.php/user_authorise".into(),
            "auth/mnet/auth.php/user_authorise".into(),
            "auth/mnetd/auth.php/user_authorise".into(),
        ]);
        let found = Methods::default().note(PEER, &listed, "user_authorise", now);
        let plugins = ["mnetd", "mnet", "other"];
        let expected = plugins.map(|plugin| format!("auth/{plugin}/auth.php/user_authorise"));
        assert_eq!(found, expected);
    }

    #[test]
    fn beside_our_plugin_moodles_own_is_asked_for_once() {
        const OURS: &str = "auth/mnetd/auth.php/kill_child";
        const MOODLES: &str = "auth/mnet/auth.php/kill_child";
        let now = Instant::now();
        for is_there in [true, false] {
            let methods = Methods::default();
            let listed = Value::Array(vec![OURS.into()]);
            methods.note(PEER, &listed, "kill_child", now);
            assert_eq!(methods.hidden(PEER, "kill_child").as_deref(), Some(MOODLES));
            methods.note_hidden(PEER, MOODLES.to_owned(), is_there);
            assert_eq!(methods.hidden(PEER, "kill_child"), None);
            let found = methods.recall(PEER, "kill_child", now).unwrap();
            assert_eq!(found.contains(&MOODLES.to_owned()), is_there);
            assert_eq!(found[0], OURS);
        }
    }

    #[test]
    fn without_our_plugin_nothing_is_hidden() {
        let methods = Methods::default();
        let listed = Value::Array(vec!["auth/mnet/auth.php/kill_child".into()]);
        methods.note(PEER, &listed, "kill_child", Instant::now());
        assert_eq!(methods.hidden(PEER, "kill_child"), None);
        assert_eq!(methods.hidden(PEER, "user_authorise"), None);
        assert_eq!(methods.hidden(PeerId(2), "kill_child"), None);
    }

    #[test]
    fn a_long_list_is_not_kept_whole() {
        let methods = Methods::default();
        let path = |number| Value::from(format!("plugin{number}/get_user"));
        let listed = Value::Array((0..=MAX_PATHS).map(path).collect());
        methods.note(PEER, &listed, "get_user", Instant::now());
        assert_eq!(methods.lock()[&PEER].paths.len(), MAX_PATHS);
    }
}
