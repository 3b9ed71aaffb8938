//! The ample sets that a system claims in one state.

/// A list of subsets of the enabled actions, any of which may be explored alone.
///
/// ```
/// let mut claims = nmr_search::Claims::default();
/// claims.add(&[1, 2]);
/// claims.add(&[3]);
/// assert_eq!(claims.iter().collect::<Vec<_>>(), [&[1, 2][..], &[3]]);
/// ```
#[derive(Clone, Debug)]
pub struct Claims<A> {
    actions: Vec<A>,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl<A> Default for Claims<A> {
    fn default() -> Self {
        Self {
            actions: Vec::new(),
            ends: Vec::new(),
        }
    }
}

impl<A: Copy> Claims<A> {
    /// Claims this set. It may not be empty, and all of it has to be enabled.
    pub fn add(&mut self, ample: &[A]) {
        self.actions.extend_from_slice(ample);
        self.ends.push(self.actions.len());
    }

    /// The sets, in the order in which they were claimed.
    pub fn iter(&self) -> impl Iterator<Item = &[A]> {
        let begins = std::iter::once(0).chain(self.ends.iter().copied());
        begins
            .zip(&self.ends)
            .map(|(begin, &end)| &self.actions[begin..end])
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Forgets them, and keeps the room.
    pub(crate) fn clear(&mut self) {
        self.actions.clear();
        self.ends.clear();
    }
}
