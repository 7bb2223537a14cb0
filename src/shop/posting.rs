//! Events on their way to a shop and its answer back: asked by the desk, handled by the actor.

use std::sync::Arc;
use std::time::Duration;

use actix::dev::SendError;
use actix::prelude::*;

use super::actor::ShopActor;
use super::asking::answer_again;
use super::deciding::{Item, Work};
use super::desk::{Answered, Desk, Intake, Refused, TRIES};
use super::message::{Handled, Post};
use super::reply::{Answer, Reply, Unanswered};
use crate::domain::base::id::Id;
use crate::env::{Stopwatch, blocking};

impl Desk {
    /// Does what may take long on a thread that may wait, so that it keeps no shop waiting.
    pub async fn aside<T: Send + 'static>(
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Refused> {
        Ok(blocking(work).await?)
    }

    /// Handles events of a shop, in order; answers once what they did is durable.
    pub async fn post(&self, shop: &Id, events: Vec<Intake>) -> Result<Vec<Answered>, Refused> {
        self.put(shop, events, true).await
    }

    /// The same for those who may not change the shop's buyer space. Where it has changed since their event was made
    /// ready for the one before, that event is not looked at ([`Refused::Busy`]).
    pub async fn post_in_its_space(
        &self,
        shop: &Id,
        events: Vec<Intake>,
    ) -> Result<Vec<Answered>, Refused> {
        self.put(shop, events, false).await
    }

    async fn put(
        &self,
        shop: &Id,
        events: Vec<Intake>,
        may_move: bool,
    ) -> Result<Vec<Answered>, Refused> {
        let post = |reply| Post { reply, may_move };
        let Handled { items, lookup } = self.ask(shop, post, events).await?;
        let (mut answered, mut repeats) = (Vec::with_capacity(items.len()), Vec::new());
        for item in items {
            answered.push(match item {
                Item::Decided(answered, _) | Item::Answered(answered) => answered,
                Item::Repeated(id, receipt) => {
                    repeats.push((answered.len(), id.clone(), receipt));
                    Answered::refused(Some(id), Refused::Busy)
                }
            });
        }
        if repeats.is_empty() {
            return Ok(answered);
        }
        // One request of a shop at a time, and a rest as long as its work: a shop that repeats itself takes half a thread
        // from the others and no more.
        let turn = lookup.acquire_owned().await;
        // What is done is answered, whatever becomes of what had happened before.
        let (journal, shop) = (Arc::clone(&self.world.journal), shop.clone());
        let again = blocking(move || {
            let watch = Stopwatch::start();
            let again = repeats
                .into_iter()
                .map(|(place, id, receipt)| (place, answer_again(&*journal, &shop, id, receipt)));
            let again = again.collect::<Vec<_>>();
            // The turn is kept also where the asker is gone.
            (again, Duration::from_micros(watch.micros()), turn)
        });
        let Ok((again, rest, turn)) = again.await else {
            return Ok(answered);
        };
        actix_rt::spawn(async move {
            actix_rt::time::sleep(rest).await;
            drop(turn);
        });
        for (place, again) in again {
            answered[place] = again;
        }
        Ok(answered)
    }

    /// Sends a message that owes a reply; again where the actor went to sleep before it looked.
    pub(super) async fn ask<M, T>(
        &self,
        shop: &Id,
        message: impl Fn(Reply<T>) -> M,
        mut events: Vec<Intake>,
    ) -> Result<T, Refused>
    where
        M: Message<Result = ()> + Send + 'static,
        ShopActor: Handler<M>,
        T: Send + 'static,
    {
        for _ in 0..TRIES {
            if self.is_closing() {
                return Err(Refused::Closing);
            }
            let (reply, answer, waiting): (Reply<T>, Answer<T>, usize) =
                Reply::new(events, &self.world.waiting);
            self.world.watch.asked(waiting);
            let sent = self.actor(shop).try_send(message(reply));
            if let Err(SendError::Full(_)) = sent {
                return Err(Refused::Busy);
            }
            // A message that came too late comes back as one that was not looked at.
            drop(sent);
            match answer.await {
                Ok(Ok(answer)) => return Ok(answer),
                Ok(Err(Unanswered::Refused(why))) => return Err(why),
                Ok(Err(Unanswered::NotBegun(back))) => events = back,
                Err(_) => return Err(Refused::Broken),
            }
        }
        Err(Refused::Busy)
    }
}

impl Handler<Post> for ShopActor {
    type Result = ();

    fn handle(&mut self, post: Post, ctx: &mut Context<Self>) {
        let Post {
            mut reply,
            may_move,
        } = post;
        let events = reply.begin();
        self.asked = Stopwatch::start();
        let mut items = Vec::with_capacity(events.len());
        let mut work = Work::new(&self.id, events.len());
        let mut refused: Option<Refused> = None;
        for intake in events {
            let id = intake.id().cloned();
            let item = match &refused {
                Some(why) => Err(why.clone()),
                None => self
                    .may_take(&intake, may_move)
                    .and_then(|()| self.decide(intake, &mut work)),
            };
            match item {
                Ok(item) => items.push(item),
                Err(why) if items.is_empty() && refused.is_none() => {
                    self.stop_if_stale(ctx);
                    return reply.refuse(why);
                }
                Err(why) => {
                    items.push(Item::Answered(Answered::refused(id, why.clone())));
                    refused = Some(why);
                }
            }
        }
        work.finish(&mut items);
        let free = self.unwritten.take();
        self.settle(ctx);
        let lookup = Arc::clone(&self.lookup);
        let answer = Box::new(move || {
            if let Some(free) = free {
                free();
            }
            reply.answer(Handled { items, lookup });
        });
        self.world.journal.when_durable(self.appended, answer);
    }
}
