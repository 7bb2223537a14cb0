//! The actor handles the events of one request: it decides them in order, and responds once they are durable.

use std::sync::Arc;

use actix::prelude::*;

use super::actor::ShopActor;
use super::apply::{EventOutcome, ResponseBuffer};
use super::messages::{SubmitEvents, Submitted};
use crate::env::Stopwatch;
use crate::runtime::event_result::{EventResult, Unavailable};

impl Handler<SubmitEvents> for ShopActor {
    type Result = ();

    fn handle(&mut self, post: SubmitEvents, ctx: &mut Context<Self>) {
        let SubmitEvents {
            mut reply,
            may_change_space,
        } = post;
        let events = reply.begin();
        self.last_request = Stopwatch::start();
        let mut items = Vec::with_capacity(events.len());
        let mut work = ResponseBuffer::new(&self.id, events.len());
        let mut refused: Option<Unavailable> = None;
        for intake in events {
            let id = intake.id().cloned();
            let item = match &refused {
                Some(why) => Err(why.clone()),
                None => self
                    .may_take(&intake, may_change_space)
                    .and_then(|()| self.decide(intake, &mut work)),
            };
            match item {
                Ok(item) => items.push(item),
                Err(why) if items.is_empty() && refused.is_none() => {
                    self.stop_if_stale(ctx);
                    return reply.refuse(why);
                }
                Err(why) => {
                    items.push(EventOutcome::Answered(EventResult::refused(
                        id,
                        why.clone(),
                    )));
                    refused = Some(why);
                }
            }
        }
        work.finish(&mut items);
        let free = self.unwritten.take();
        self.finish_request(ctx);
        let lookup = Arc::clone(&self.lookup);
        let answer = Box::new(move || {
            if let Some(free) = free {
                free();
            }
            reply.answer(Submitted { items, lookup });
        });
        self.shared.journal.when_durable(self.appended, answer);
    }
}
