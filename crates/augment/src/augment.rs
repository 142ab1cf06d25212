//! The trait of all transforms, and what they draw into.

use crate::geometry::{Symmetry, Warp};
use crate::image::{ImageMut, ImageRef};
use crate::plan::{Buffers, Chain, Effect, Note, Plan, Step};
use crate::{Image, Key, Kind, Random, Result, Shape};
use std::fmt::Debug;
use std::sync::Arc;

/// A random transform of images.
///
/// It has one job: to draw, for an image of a known shape, what is to be done, as deterministic [steps](Step). Whoever runs the steps (on
/// the image, its mask, its boxes, again on another image) needs no randomness. Compositions are transforms that let others draw.
///
/// ```
/// use gradwise_augment::{Augment, Draw, Key, Map, Result, Shape, Symmetry, Step};
///
/// /// A quarter turn, clockwise or counterclockwise.
/// #[derive(Debug)]
/// struct Quarter;
///
/// impl Augment for Quarter {
///     fn name(&self) -> &str {
///         "quarter"
///     }
///
///     fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
///         let clockwise = draw.random().chance(0.5);
///         let symmetry = if clockwise { Symmetry::Clockwise } else { Symmetry::Counterclockwise };
///         draw.push(Step::Symmetry { symmetry })
///     }
/// }
///
/// let plan = Quarter.plan(Shape::interleaved(20, 30, 3), gradwise_augment::Kind::U8, Key::new(1))?;
/// assert_eq!(plan.output(Shape::interleaved(20, 30, 3), gradwise_augment::Kind::U8)?.0.height, 30);
/// # Ok::<(), gradwise_augment::Error>(())
/// ```
pub trait Augment: Send + Sync + Debug {
    /// Its name, for notes and errors.
    fn name(&self) -> &str;

    /// Draws what to do, and pushes it.
    ///
    /// # Errors
    /// For an image that it cannot work on.
    fn draw(&self, draw: &mut Draw<'_>) -> Result<()>;

    /// What it draws for an image of a shape and type.
    ///
    /// # Errors
    /// As [`Augment::draw`], and for a shape without pixels, or with more than [`Shape::MAX_PIXELS`].
    fn plan(&self, shape: Shape, kind: Kind, key: Key) -> Result<Plan> {
        let mut plan = Plan::new();
        self.plan_into(shape, kind, key, &mut plan)?;
        Ok(plan)
    }

    /// [`Augment::plan`] into a plan that was used before, whose memory is used again.
    ///
    /// # Errors
    /// As [`Augment::draw`].
    fn plan_into(&self, shape: Shape, kind: Kind, key: Key, plan: &mut Plan) -> Result<()> {
        plan.clear();
        shape.checked_len(self.name())?;
        plan.drawn_for = Some((shape.height, shape.width));
        let mut state = State { shape, kind, cut: false };
        self.draw(&mut Draw { plan, state: &mut state, key, random: key.random() })
    }

    /// Draws for an image and runs it.
    ///
    /// # Errors
    /// Before anything is written: as [`Augment::draw`], and for an image with values that are no finite numbers (which a flip
    /// alone moves as they are).
    fn apply(&self, image: ImageRef<'_>, key: Key) -> Result<Image> {
        self.plan(image.shape(), image.kind(), key)?.apply(image)
    }

    /// Draws for an image and runs it, into memory of the caller's.
    ///
    /// # Errors
    /// As [`Augment::apply`], and if the target has another shape or type than the result.
    fn apply_into(&self, image: ImageRef<'_>, key: Key, target: ImageMut<'_>, buffers: &mut Buffers) -> Result<()> {
        let mut plan = std::mem::take(&mut buffers.plan);
        let result = self
            .plan_into(image.shape(), image.kind(), key, &mut plan)
            .and_then(|()| plan.apply_into(image, target, buffers));
        buffers.plan = plan;
        result
    }
}

macro_rules! forward {
    ($($t:ty),*) => {$(
        impl<A: Augment + ?Sized> Augment for $t {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn draw(&self, draw: &mut Draw<'_>) -> Result<()> {
                (**self).draw(draw)
            }
        }
    )*};
}
forward!(&A, Box<A>, Arc<A>);

/// What the steps drawn so far make of the image.
#[derive(Clone, Copy, Debug)]
struct State {
    shape: Shape,
    kind: Kind,
    /// Whether the last step cut something off that is not to come back.
    cut: bool,
}

/// What a transform draws from, and what it draws into.
#[derive(Debug)]
pub struct Draw<'a> {
    plan: &'a mut Plan,
    state: &'a mut State,
    key: Key,
    random: Random,
}

impl Draw<'_> {
    /// The shape of the image, as the steps so far leave it.
    pub fn shape(&self) -> Shape {
        self.state.shape
    }

    /// The type of its values.
    pub fn kind(&self) -> Kind {
        self.state.kind
    }

    /// The generator of this transform's draws. They depend on the sample and on this transform's place in the pipeline, on nothing else.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// The key of draws for every pixel, for a step to hold: other bits than [`Draw::random`]'s. It is the same at every call, so that a
    /// transform of several such steps derives one for each: `draw.key().with(1)`.
    pub fn key(&self) -> Key {
        self.key.with(u64::MAX)
    }

    /// Adds a step, fused with the one before where that is exact or saves an interpolation.
    ///
    /// # Errors
    /// If the step cannot work on the image.
    pub fn push(&mut self, step: Step) -> Result<()> {
        let State { shape: before, kind, cut } = *self.state;
        (self.state.shape, self.state.kind) = step.output(before, kind)?;
        // A product of many maps may leave the range of numbers: they are then run one by one.
        let fits = |both: &Option<Step>| !matches!(both, Some(Step::Warp(warp)) if !warp.map.is_finite());
        match self.plan.steps.last().and_then(|last| fused(last, &step, before, cut)).filter(fits) {
            Some(both) => {
                // Where two steps leave none, the last one is another, which may have cut something off.
                self.state.cut = cut || both.is_none();
                self.plan.steps.pop();
                self.plan.steps.extend(both);
            }
            None => {
                self.plan.steps.push(step);
                self.state.cut = false;
            }
        }
        Ok(())
    }

    /// [`Draw::push`] for a step that cuts a piece out of the image: what is cut off never comes back. Steps that follow are fused with it
    /// only if they take nothing from beyond the piece, so that a margin or a turn shows its fill there, and not the image.
    ///
    /// # Errors
    /// As [`Draw::push`].
    pub fn push_cut(&mut self, step: Step) -> Result<()> {
        self.push(step)?;
        self.state.cut = true;
        Ok(())
    }

    /// Adds a user's own operation on values.
    ///
    /// # Errors
    /// None today.
    pub fn push_effect(&mut self, effect: &Arc<dyn Effect>) -> Result<()> {
        let key = self.key();
        self.push(Step::Effect { effect: Arc::clone(effect), key })
    }

    /// Notes what was drawn, for people.
    pub fn note(&mut self, name: &'static str, values: &[(&'static str, f64)]) {
        self.plan.notes.push(Note::new(name, values));
    }

    /// Draws steps for later use, such as a [`Chain`](crate::Chain) of a blend, and pushes none: they begin with the image as it is here.
    /// What they draw is noted.
    ///
    /// # Errors
    /// The closure's.
    pub fn aside(&mut self, draw: impl FnOnce(&mut Draw<'_>) -> Result<()>) -> Result<Vec<Step>> {
        let empty = self.plan.spare.steps();
        let before = std::mem::replace(&mut self.plan.steps, empty);
        let state = *self.state;
        let result = draw(self);
        *self.state = state;
        let steps = std::mem::replace(&mut self.plan.steps, before);
        result.map(|()| steps)
    }

    /// An empty list for the chains of a [`Blend`](crate::Blend), with the memory of one that was drawn before, where there is one.
    pub fn chains(&mut self) -> Vec<Chain> {
        self.plan.spare.chains()
    }

    /// Lets another transform draw, as number `place` of this one's parts.
    ///
    /// # Errors
    /// The other's.
    pub fn part(&mut self, place: u64, part: &(impl Augment + ?Sized)) -> Result<()> {
        let key = self.key.with(place);
        part.draw(&mut Draw { plan: self.plan, state: self.state, key, random: key.random() })
    }
}

/// Two geometric steps as one, or as none. `shape` is that of the image between them, of which the first may have `cut` off what is not to
/// come back.
///
/// Maps are multiplied, so that the image is interpolated once. What had left the image after the first step and comes back with the
/// second is then still there, where the chain would show its fill: the fused result is nearer to the exact one.
fn fused(last: &Step, next: &Step, shape: Shape, cut: bool) -> Option<Option<Step>> {
    let map = |symmetry: Symmetry, after: bool| {
        // A symmetry that exchanges the axes had an image of exchanged size before.
        let shape = if after { symmetry.shape(shape) } else { shape };
        symmetry.map(shape.height, shape.width)
    };
    match (last, next) {
        (Step::Symmetry { symmetry: a }, Step::Symmetry { symmetry: b }) => {
            let symmetry = a.then(*b);
            Some((symmetry != Symmetry::Identity).then_some(Step::Symmetry { symmetry }))
        }
        (Step::Warp(a), Step::Warp(b)) if !cut && (a.interpolation, a.fill) == (b.interpolation, b.fill) => {
            Some(Some(Step::Warp(Warp { map: a.map.then(b.map), ..*b })))
        }
        // Whole pixels cut out of a warped image: only these need to be computed.
        (Step::Warp(a), Step::Warp(b)) if b.cuts_out_of(shape) => {
            let map = a.map.then(b.map);
            Some(Some(Step::Warp(Warp { map, height: b.height, width: b.width, ..*a })))
        }
        // Rows are copied by both: nothing is interpolated, and a mirrored copy pixel by pixel would take many times as long as the two.
        (Step::Symmetry { .. }, Step::Warp(warp)) | (Step::Warp(warp), Step::Symmetry { .. }) if warp.copies() => None,
        (Step::Symmetry { symmetry }, Step::Warp(warp)) => {
            Some(Some(Step::Warp(Warp { map: map(*symmetry, true).then(warp.map), ..*warp })))
        }
        (Step::Warp(warp), Step::Symmetry { symmetry }) => {
            let after = symmetry.shape(shape);
            let map = warp.map.then(map(*symmetry, false));
            Some(Some(Step::Warp(Warp { map, height: after.height, width: after.width, ..*warp })))
        }
        _ => None,
    }
}
