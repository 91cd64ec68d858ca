"""How statements are written and read, once for everybody: importers, judges, rewards and the audit.

    from perception_reward.annotations.language.numbers import numbers_in

    [float(number.value) for number in numbers_in("Twenty-one of 1,234 dogs, a third of them black.")]
    # [21.0, 1234.0, 0.333…]

| module | reads and writes |
|---|---|
| `numbers` | numbers inside prose and in words: compounds, thousands, ordinals, fractions, other scripts; and back |
| `literals` | numbers that are a whole text: scientific, periodic, mixed, in another base |

Nobody else reads a number word. All of it is pure, never raises for any text unless it says so, and takes time linear
in the text's length.
"""
