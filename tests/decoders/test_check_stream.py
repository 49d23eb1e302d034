"""Whether a decoder can filter a stream is answered alike with its filters and without them."""

from __future__ import annotations

import pytest

from workbench import decoders
from workbench.errors import BadValue


@pytest.mark.parametrize("fs", [250.0, 40.0])
@pytest.mark.parametrize("name", ["bandpower_lda", "csp_lda", "fbcsp", "mrcp_lda", "tangent_space_lda"])
def test_a_stream_is_refused_in_the_same_words_whether_filters_are_designed_or_not(name, fs):
    def refusal(ask):
        try:
            ask(8)
        except BadValue as error:
            return str(error)
        return ""

    decoder = decoders.load(name)(fs, mains_hz=0.0)
    assert refusal(decoder.check_stream) == refusal(decoder.prepare)


def test_a_rate_too_low_for_the_bands_is_refused_before_any_filter_is_designed():
    with pytest.raises(BadValue, match="40"):
        decoders.load("bandpower_lda")(40.0).check_stream(8)
