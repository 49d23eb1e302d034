"""Kernels and decoders as Python runs them, without the compiler: their tests pass and reach every line."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.job
ROOT = Path(__file__).resolve().parents[2]
WHOLE = ("test_small", "test_flashes", "test_white", "test_lda", "test_collect", "test_parallel")
"""Files of which every case is quick without a compiler."""

SOME = {
    "test_adapt": (
        "a_chain_that_was_changed_is_noticed",
        "an_update_out_of_bounds_goes_back_to_the_fit",
        "labels_are_refused_where_nothing_learns_from_them",
        "rules_that_cannot_be_are_refused",
    ),
    "test_bandpower_lda": (
        "a_recording_that_repeats_itself_is_refused",
        "bipolar_without_pairs_is_known_for_two_strips_only",
        "defaults_follow_the_rate_the_mains_and_the_montage",
        "filters_of_a_small_ecog_montage_show_a_change_in_about_half_the_time_of_order_4",
        "high_gamma_of_a_small_ecog_montage_is_one_feature_a_channel",
        "power_without_signal_is_refused_where_no_filter_learns_the_noise",
    ),
    "test_bandpower_svm": (
        "bands_follow_the_rate_and_the_mains",
        "rules_for_linear_discriminants_are_refused",
        "what_cannot_be_learned_is_refused",
    ),
    "test_cca": (
        "a_start_without_data_knows_classes_and_channels",
        "a_start_without_data_needs_two_frequencies",
        "frequencies_that_do_not_serve_are_refused_in_words",
    ),
    "test_csp_lda": (
        "a_common_average_and_a_bridge_are_carried_by_shrinkage_and_named_without",
        "eight_epidural_channels_are_referenced_within_their_strips",
        "one_channel_has_no_spatial_pattern",
        "parameters_outside_what_is_allowed_are_refused",
        "the_features_have_the_band_of_the_filter",
    ),
    "test_evidence": (
        "a_class_that_cannot_be_held_out_is_refused",
        "a_detection_is_held_and_the_odds_must_fall_before_the_next",
        "an_isotonic_map_rises_and_keeps_away_from_certainty",
        "areas_that_weigh_nothing_are_refused",
        "evidence_that_does_not_go_together_is_refused",
        "fusion_weighs_log_probabilities",
        "settings_outside_what_is_allowed_are_refused",
        "the_threshold_is_the_least_that_keeps_errors_down",
        "what_is_not_valid_or_rejected_is_left_out_of_the_fusion",
        "without_rest_both_bounds_are_those_of_a_movement",
    ),
    "test_fbcca": ("the_score_is_the_weighed_sum_of_squared_correlations",),
    "test_fbcsp": ("each_chosen_feature_brings_its_partner",),
    "test_layout_1": ("a_decoder_of_layout_1_keeps_its_gate_its_hash_and_its_evidence",),
    "test_mrcp_lda": ("features_are_the_definition_written_out", "taps_must_fit_in_the_window"),
    "test_mset_cca": ("one_band_is_taken",),
    "test_riemann_mdm": ("a_covariance_without_rank_is_refused", "a_window_that_cannot_be_scored_is_refused"),
    "test_small_inputs": (
        "a_trigger_needs_data",
        "blocks_of_another_length_are_refused",
        "two_channels_with_a_common_average_have_no_spatial_patterns[csp_lda]",
    ),
    "test_stopping": (
        "a_decoder_with_a_memory_is_refused_and_an_unfitted_one_says_so",
        "a_gap_in_every_window_leaves_the_trial_undecided",
        "lengths_must_grow",
        "nothing_is_sure_enough_when_scores_say_nothing",
        "stop_is_a_probability",
        "the_stream_decides_as_epochs_do",
        "time_locked_windows_grow_from_the_same_place",
    ),
    "test_store": ("arrays_that_would_fill_the_memory_are_refused_before_they_are_unpacked",),
    "test_transfer": (
        "recentred_domains_have_the_identity_for_mean",
        "turned_class_means_meet_those_of_the_target",
        "what_does_not_go_together_is_refused",
    ),
    "test_trca": ("one_trial_of_a_class_is_too_few_and_two_need_no_calibration",),
    "test_xdawn_tangent_space": (
        "epochs_that_end_before_the_latency_are_refused",
        "parameters_that_do_not_serve_are_refused_in_words",
        "windows_without_signal_are_refused",
    ),
}
"""Cases of the other files; without the prefix ``test_``."""

CONTRACT = (
    "a_decoder_is_saved_with_its_own_montage_only",
    "a_decoder_of_another_version_is_refused",
    "a_decoder_without_a_montage_cannot_be_checked",
    "a_folder_that_holds_no_readable_decoder_is_refused",
    "a_lead_in_must_fit_in_the_epoch",
    "a_longer_epoch_averages_the_log_odds_of_its_windows",
    "an_unfitted_decoder_says_so",
    "another_montage_is_refused_by_name",
    "another_number_of_channels_is_refused",
    "epochs_that_cannot_be_learned_from_are_refused_in_words",
    "one_changed_bit_in_an_array_is_noticed",
    "parameters_are_set_by_name_and_no_other",
    "what_is_read_is_what_was_saved",
    "windows_of_another_shape_are_refused",
)
"""Cases of the contract, of one decoder."""


CONVENTIONS = (
    "a_decoder_that_is_not_fitted_raises_the_error_of_either_name[csp_lda]",
    "a_linear_decoder_has_patterns_in_the_shape_of_what_they_explain",
    "epochs_and_their_samples_in_microvolts_are_fitted_alike",
    "epochs_of_other_channels_or_another_order_are_refused_by_name",
    "only_what_fit_takes_can_be_requested",
    "routing_hands_blocks_and_the_lead_in_on_to_fit",
    "sparse_input_is_refused_in_words",
    "the_table_names_the_hash_of_a_stored_decoder",
    "the_table_of_a_decoder_shows_its_parameters_and_what_was_fitted_escaped",
    "what_is_no_class_and_no_signal_is_refused_in_words",
)
"""Cases of the conventions of scikit-learn."""


def coverage(folder, *arguments):
    """Run ``coverage`` without the compiler, on one thread; its report is kept in ``folder``."""
    alone = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    env = {**os.environ, **alone, "NUMBA_DISABLE_JIT": "1", "COVERAGE_FILE": str(folder / "coverage")}
    command = [sys.executable, "-m", "coverage", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def reach_every_line(folder, source, *runs):
    for which in runs:
        pytest_run = ["-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", *which]
        coverage(folder, "run", "--append", f"--source={source}", *pytest_run)
    coverage(folder, "report", "--show-missing", "--fail-under=100")


def test_kernels_reach_every_line(tmp_path):
    reach_every_line(tmp_path, "workbench/kernels", ["tests/kernels"])


def test_decoders_reach_every_line_in_their_small_cases(tmp_path):
    """Where a line is missing: add a case that reaches it to test_small.py, or a quick one to the lists above."""
    cases = [f"tests/decoders/{name}.py" for name in WHOLE]
    cases += [f"tests/decoders/{name}.py::test_{case}" for name, some in SOME.items() for case in some]
    contract = [f"tests/contract/test_decoders.py::test_{case}" for case in CONTRACT]
    rooms = ",".join(f"workbench/{room}" for room in ("decoders", "decoding", "fitting"))
    conventions = [f"tests/contract/test_scikit_learn.py::test_{case}" for case in CONVENTIONS]
    reach_every_line(tmp_path, rooms, cases, [*contract, "-k", "csp_lda"], conventions)
