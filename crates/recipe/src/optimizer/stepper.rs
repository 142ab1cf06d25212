//! The stepper that `[optimizer]` makes.

use super::ScheduleSite;
use crate::layers::AnyModule;
use crate::{ClipOptions, OptimizerSection, RecipeError, Registry, Result};
use gradwise_optim::steppers::{Accumulate, Average, Averaged, GradientNoise, Lookahead, Sam};
use gradwise_optim::{BoxRule, Clip, Group, LinearWarmup, Optimizer, Schedule, Stepper, layer_decay, layers_of};

/// A stepper of any make.
pub(crate) type AnyStepper = Box<dyn Stepper<f32, AnyModule>>;

/// Builds it, from the inside out: rule and schedule, groups and clipping, noise, lookahead, sharpness, accumulation, averaging.
pub(crate) fn stepper(
    section: &OptimizerSection,
    registry: &Registry,
    model: &AnyModule,
    site: ScheduleSite,
    seed: u64,
) -> Result<AnyStepper> {
    let rule = registry.rules.build(&section.rule, &()).map_err(|error| error.at("rule"))?;
    let rate = |error: RecipeError| error.at("rate");
    // The schedule's first argument is the rate, which is said here.
    gradwise_optim::Constant::new(section.rate).map_err(|error| rate(error.into()))?;
    // Schedules count updates, of which there is one for so many batches.
    let batches = section.accumulate.unwrap_or(1).max(1);
    let site =
        ScheduleSite { steps: (site.steps / batches).max(1), per_epoch: (site.per_epoch / batches).max(1), ..site };
    let inside = ScheduleSite { steps: site.steps.saturating_sub(section.warmup).max(1), ..site };
    let schedule = registry.schedules.build(&section.schedule, &inside).map_err(|error| error.at("schedule"))?;
    let schedule: Box<dyn Schedule> = match section.warmup {
        0 => schedule,
        steps => Box::new(LinearWarmup::new(steps, schedule).map_err(|error| RecipeError::from(error).at("warmup"))?),
    };
    let mut optimizer: Optimizer<f32, BoxRule<f32>> = Optimizer::new(rule, schedule);
    if let Some(strength) = section.weight_decay {
        optimizer = optimizer.weight_decay(strength).map_err(|error| RecipeError::from(error).at("weight-decay"))?;
    }
    if let Some(decay) = section.layer_decay {
        let groups =
            layer_decay(layers_of(model), decay).map_err(|error| RecipeError::from(error).at("layer-decay"))?;
        optimizer = optimizer.groups(groups);
    }
    for (i, options) in section.groups.iter().enumerate() {
        optimizer = optimizer.group(group(options).map_err(|error| error.at_index(i).at("groups"))?);
    }
    if let Some(options) = section.clip {
        optimizer = optimizer.clip(clip(options).map_err(|error| error.at("clip"))?);
    }
    let mut stepper: AnyStepper = Box::new(optimizer);
    if let Some(options) = section.noise {
        let noise = GradientNoise::new(stepper, options.eta, options.gamma, seed);
        stepper = Box::new(noise.map_err(|error| RecipeError::from(error).at("noise"))?);
    }
    if let Some(options) = section.lookahead {
        let lookahead = Lookahead::<f32, _>::new(stepper, options.every, options.share);
        stepper = Box::new(lookahead.map_err(|error| RecipeError::from(error).at("lookahead"))?);
    }
    if let Some(options) = section.sam {
        let sam = Sam::<f32, _>::new(stepper, options.rho).map_err(|error| RecipeError::from(error).at("sam"))?;
        stepper = Box::new(if options.adaptive { sam.adaptive() } else { sam });
    }
    if let Some(n) = section.accumulate {
        let accumulate = Accumulate::<f32, _>::new(stepper, n);
        stepper = Box::new(accumulate.map_err(|error| RecipeError::from(error).at("accumulate"))?);
    }
    if let Some(options) = section.average {
        let average = (|| {
            let mut average = match options.decay {
                Some(decay) => Average::exponential(decay)?,
                None => Average::equal(),
            };
            if options.warm_up {
                average = average.warm_up();
            }
            average.starting_after(options.after).every(options.every.unwrap_or(1))
        })();
        stepper = Box::new(Averaged::new(stepper, average.map_err(|error| RecipeError::from(error).at("average"))?));
    }
    Ok(stepper)
}

fn group(options: &crate::GroupOptions) -> Result<Group> {
    let mut group = match options.on.as_str() {
        "vectors" => Group::vectors(),
        pattern => Group::matching(pattern).map_err(|error| RecipeError::from(error).at("on"))?,
    };
    if let Some(factor) = options.rate_times {
        group = group.learning_rate_times(factor).map_err(|error| RecipeError::from(error).at("rate-times"))?;
    }
    if let Some(factor) = options.decay_times {
        group = group.weight_decay_times(factor).map_err(|error| RecipeError::from(error).at("decay-times"))?;
    }
    Ok(if options.frozen { group.frozen() } else { group })
}

fn clip(options: ClipOptions) -> Result<Clip> {
    Ok(match options {
        ClipOptions::GlobalNorm(max) => Clip::global_norm(max)?,
        ClipOptions::Norm(max) => Clip::norm(max)?,
        ClipOptions::Value(max) => Clip::value(max)?,
        ClipOptions::Unit(share) => Clip::unit(share)?,
    })
}
