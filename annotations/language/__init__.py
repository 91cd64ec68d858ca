"""How statements are written and read, once for everybody: importers, judges, rewards and the audit.

    from perception_reward.annotations.language.numbers import numbers_in

    [float(number.value) for number in numbers_in("Twenty-one of 1,234 dogs, a third of them black.")]
    # [21.0, 1234.0, 0.333…]

| module | reads and writes |
|---|---|
| `numbers` | numbers inside prose and in words: compounds, thousands, ordinals, fractions, other scripts; and back |
| `english_numbers`, `chinese_numbers` | their words, and how they are written |
| `literals` | numbers that are a whole text: scientific, periodic, mixed, in another base |
| `units` | units of measure, and how they convert |
| `notation` | LaTeX, Unicode and Markdown in one plain notation, with the way back to the original |
| `characters` | characters of print as LaTeX, for prose and answers alike |
| `formulas`, `nodes` | numbers, terms in letters and formulas, as trees |
| `quantities`, `values` | such trees as labels of a figure, and in a form that compares exactly |
| `names` | names of points and runs of them |
| `stems`, `word_lists` | words cut to what their forms share; lists of words |
| `sentences` | a text as sentences, each with what is merely supposed, asked or offered in it |
| `asserted` | what a text claims and states, the rest left out |
| `cues`, `moods` | words of hedging, supposing, denying, reporting; the mood that they give a place in a sentence |
| `examined` | what is only quoted to be checked, or called false |
| `geometry` | elements of a figure, and what a sentence says of them |

Nobody else reads a number word, a unit, a name or a hedge. All of it is pure and never raises for any text unless it
says so; the time that it takes is linear in the text's length.
"""
