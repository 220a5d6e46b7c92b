//! The real functions, between a Lambda and a TLS auth service on the loopback interface.
//!
//! Every case runs twice: behind `lambda-simulator`, and in AWS's own Runtime Interface Emulator.

mod auth_service;
#[path = "../channels/mod.rs"]
mod channels;
mod emulated;
mod gate;
mod http;
mod lambda;
mod outages;
mod simulated;
mod system;

/// A test of each case in each Lambda.
macro_rules! in_each_lambda {
    ($($module:ident: $($case:ident)+;)+) => {
        mod in_the_simulator {
            $($(#[test]
            fn $case() {
                crate::$module::$case::<crate::simulated::Simulated>();
            })+)+
        }

        mod in_the_emulator {
            $($(#[test]
            fn $case() {
                if crate::emulated::is_there() {
                    crate::$module::$case::<crate::emulated::Emulated>();
                }
            })+)+
        }
    };
}

in_each_lambda! {
    gate:
        every_channel_says_yes
        every_channel_says_no
        the_uncached_answer_covers_the_method
        what_needs_no_question_asks_none
        a_cached_token_can_not_be_carried_to_another_channel
        unknown_channels_are_the_default_one_where_that_is_configured
        a_channel_can_be_required
        metrics_can_be_left_out
        wrong_settings_start_and_let_nobody_pass;
    outages:
        answers_that_decide_nothing
        redirects_are_refused
        a_cut_connection_is_tried_once_more
        a_kept_connection_that_was_cut_meanwhile_costs_nobody_an_error
        silence_ends_at_the_time_out
        nobody_listening_is_a_failure
        servers_without_tls_are_failures
        certificates_of_strangers_are_failures;
    system:
        known_keys_name_their_callers
        other_keys_are_refused
        a_key_can_be_exchanged_for_another
        wrong_settings_start_and_let_no_caller_pass;
}
