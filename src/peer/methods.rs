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
    lists: Mutex<HashMap<PeerId, (Instant, Vec<String>)>>,
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
            Some((at, paths)) if now.duration_since(*at) < LIFETIME => Ok(find(paths, function)),
            _ => Err(NoList),
        }
    }

    /// Keeps a list that a peer sent, and says where `function` is by it.
    pub fn note(&self, peer: PeerId, listed: &Value, function: &str, now: Instant) -> Vec<String> {
        let paths = paths(listed);
        let found = find(&paths, function);
        self.lock().insert(peer, (now, paths));
        found
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<PeerId, (Instant, Vec<String>)>> {
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
    fn a_long_list_is_not_kept_whole() {
        let methods = Methods::default();
        let path = |number| Value::from(format!("plugin{number}/get_user"));
        let listed = Value::Array((0..=MAX_PATHS).map(path).collect());
        methods.note(PEER, &listed, "get_user", Instant::now());
        assert_eq!(methods.lock()[&PEER].1.len(), MAX_PATHS);
    }
}
