//! Names of scopes and parameters, remembered from step to step so that naming costs nothing.

use gradwise_core::{Key, Path};

/// A scope by number; 0 is the model itself.
pub(crate) type ScopeId = u32;

#[derive(Debug)]
struct Scope {
    /// Full path, such as `encoder.2`.
    path: String,
    /// Where the last name in it begins.
    last: usize,
    /// The path, hashed for random keys.
    hash: u64,
    children: Vec<ScopeId>,
    /// Operations recorded in the current tape.
    operations: u64,
}

/// The scopes met so far, and the parameters' paths.
#[derive(Debug)]
pub(crate) struct Names {
    scopes: Vec<Scope>,
    /// By the parameters' fixed order.
    params: Vec<(String, ScopeId)>,
    text: String,
}

impl Default for Names {
    fn default() -> Self {
        let root = Scope { path: String::new(), last: 0, hash: hash(""), children: Vec::new(), operations: 0 };
        Names { scopes: vec![root], params: Vec::new(), text: String::new() }
    }
}

fn hash(path: &str) -> u64 {
    Key::default().with_str(path).seed()
}

impl Names {
    /// Begins a tape: operations are counted from 0 in every scope.
    pub(crate) fn restart(&mut self) {
        self.scopes.iter_mut().for_each(|s| s.operations = 0);
    }

    /// The scope of a name within another.
    pub(crate) fn child(&mut self, of: ScopeId, name: &str) -> ScopeId {
        let parent = &self.scopes[of as usize];
        let known = parent.children.iter().copied().find(|&c| {
            let scope = &self.scopes[c as usize];
            &scope.path[scope.last..] == name
        });
        if let Some(id) = known {
            return id;
        }
        let mut path = parent.path.clone();
        if !path.is_empty() {
            path.push('.');
        }
        let last = path.len();
        path.push_str(name);
        let id = self.scopes.len() as ScopeId;
        let hash = hash(&path);
        self.scopes.push(Scope { path, last, hash, children: Vec::new(), operations: 0 });
        self.scopes[of as usize].children.push(id);
        id
    }

    /// The scope of a full path.
    fn at(&mut self, path: &str) -> ScopeId {
        path.split('.').filter(|name| !name.is_empty()).fold(0, |scope, name| self.child(scope, name))
    }

    pub(crate) fn path(&self, scope: ScopeId) -> &str {
        &self.scopes[scope as usize].path
    }

    /// Counts an operation in a scope; returns the scope's hash and how many there were before.
    pub(crate) fn count(&mut self, scope: ScopeId) -> (u64, u64) {
        let scope = &mut self.scopes[scope as usize];
        scope.operations += 1;
        (scope.hash, scope.operations - 1)
    }

    /// Sets the path of the `index`-th parameter, if it is not that already.
    pub(crate) fn set_param(&mut self, index: usize, path: Path<'_>) {
        let mut text = std::mem::take(&mut self.text);
        path.write_to(&mut text);
        if self.params.get(index).is_none_or(|(known, _)| *known != text) {
            let layer = text.rfind('.').map_or("", |dot| &text[..dot]);
            let scope = self.at(layer);
            self.params.truncate(index);
            self.params.push((text.clone(), scope));
        }
        self.text = text;
    }

    /// The path of the `index`-th parameter.
    pub(crate) fn param(&self, index: usize) -> &str {
        self.params.get(index).map_or("", |(path, _)| path)
    }

    /// The scope that is `depth` names above the `index`-th parameter.
    pub(crate) fn above(&mut self, index: usize, depth: usize) -> Option<ScopeId> {
        let (path, _) = self.params.get(index)?;
        let mut end = path.len();
        for _ in 0..depth {
            end = path[..end].rfind('.').unwrap_or(0);
        }
        // The path is out of the way while scopes are looked up.
        let (path, scope) = std::mem::take(&mut self.params[index]);
        let found = self.at(&path[..end]);
        self.params[index] = (path, scope);
        Some(found)
    }

    /// The scope of the layer that the `index`-th parameter belongs to.
    pub(crate) fn layer(&self, index: usize) -> Option<ScopeId> {
        self.params.get(index).map(|(_, scope)| *scope)
    }
}
