//! A graph that is given: its nodes are the states, its edges the actions.

use nmr_search::{Encoder, System};

#[derive(Clone, Debug)]
pub(crate) struct Graph {
    /// Of each node, where its edges lead. Node 0 is the initial one.
    pub(crate) edges: Vec<Vec<usize>>,
    /// Which nodes must not be entered.
    pub(crate) forbidden: Vec<usize>,
    /// Which nodes must not be ends.
    pub(crate) no_ends: Vec<usize>,
}

impl System for Graph {
    type State = usize;
    /// The edge, by its number in its node.
    type Action = usize;
    type Violation = String;
    type Permutation = ();

    fn identity(&self) -> String {
        format!("graph of {} nodes", self.edges.len())
    }

    fn initial(&self) -> usize {
        0
    }

    fn actions(&self, &node: &usize, enabled: &mut Vec<usize>) {
        enabled.extend(0..self.edges[node].len());
    }

    fn apply(&self, node: &mut usize, edge: usize) -> Result<(), String> {
        *node = self.edges[*node][edge];
        match self.forbidden.contains(node) {
            true => Err(format!("node {node} is entered")),
            false => Ok(()),
        }
    }

    fn finished(&self, node: &usize) -> Result<(), String> {
        match self.no_ends.contains(node) {
            true => Err(format!("node {node} is an end")),
            false => Ok(()),
        }
    }

    fn encode(&self, &node: &usize, (): &(), encoder: &mut Encoder) {
        encoder.put_u64(node as u64);
    }

    fn permutations(&self) -> &[()] {
        &[()]
    }
}
