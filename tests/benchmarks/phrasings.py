r"""How a model words a visual fact: the data behind the templated statements of the symbolic judge's benchmark.

Every fact kind has phrasings in two halves, and figures have a third. Failures on `TUNE` may be looked at while the
judge's rules are written; of `HELD_OUT` only the figures are reported, so that the distance between the two halves
shows how far the rules have been fitted to wordings. Keep it so: never move a phrasing from one half to the other,
and never read a held-out failure to mend a rule.

`FRESH` holds wordings of figures alone, written once the rules stood, measured once and never mended for: of the
three it is the only figure for wordings that nobody had in mind. When the rules change because of it, it is spent;
write another. The next lot is `unread_phrasings`.

Slots are `str.format` fields. `{e}` and `{f}` are the fact's elements (a segment, an angle, a point, a noun), with
symmetric names in either order; `{o}` and `{p}` other elements of the same kind; `{v}` the fact's value and
`{w}` another one, each with a rendering: `{v.tex}` (`3\sqrt{2}`), `{v.uni}` (`3√2`), `{v.plain}`
(`3*sqrt(2)`, as typed).
Chart facts add `{m}` (the series) and `{o}` (another year or category).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wordings:
    """One fact kind in one lot.

    affirm: says that the fact holds; filled with another value, where the kind has one, it contradicts it.
    deny: says that the fact does not hold.
    clause: a bare statement of the fact, for sentences that do not commit to it.
    unsettled: leaves open whether the fact holds, in words that suit this kind only.
    """

    affirm: tuple[str, ...]
    deny: tuple[str, ...]
    clause: tuple[str, ...]
    unsettled: tuple[str, ...] = ()


TUNE: dict[str, Wordings] = {
    "length": Wordings(
        affirm=(
            "Segment {e} has length {v.plain}.",
            "From the figure, {e} = {v.uni}.",
            r"The side $\overline{{{e}}}$ is labeled ${v.tex}$.",
            "The number {v.uni} is written next to {e}.",
            "{e} and {o} are {v.uni} and {w.uni}, respectively.",
            "- {e}: {v.uni}",
            "The diagram shows that {e} measures {v.plain} and {o} measures {w.plain}.",
            "We are given ${e} = {v.tex}$, ${o} = {w.tex}$.",
            "| Segment | Length |\n|---|---|\n| {o} | {w.uni} |\n| {e} | {v.uni} |",
        ),
        deny=(
            "{e} is not {v.plain}.",
            r"So ${e} \neq {v.tex}$.",
        ),
        clause=("{e} is {v.plain}", "{e} = {v.uni}"),
    ),
    "angle": Wordings(
        affirm=(
            "Angle {e} measures {v.plain} degrees.",
            "∠{e} = {v.uni}°.",
            r"We can see that $m\angle {e} = {v.tex}^\circ$.",
            "- Angle {e}: {v.uni}°",
            "{e} is a {v.uni}-degree angle.",
            "The angle at the corner, ∠{e}, is marked {v.uni} degrees.",
            r"Here $\angle {o} = {w.tex}^{{\circ}}$ and $\angle {e} = {v.tex}^{{\circ}}$.",
        ),
        deny=(
            "Angle {e} is not {v.plain} degrees.",
            "∠{e} ≠ {v.uni}°.",
        ),
        clause=("angle {e} is {v.plain} degrees", "∠{e} = {v.uni}°"),
    ),
    "arc": Wordings(
        affirm=(
            "Arc {e} measures {v.plain} degrees.",
            r"The figure marks $\overset{{\frown}}{{{e}}} = {v.tex}^\circ$.",
            "The measure of arc {e} is {v.uni}°.",
            "* arc {e} = {v.uni}°",
        ),
        deny=("The measure of arc {e} is not {v.plain} degrees.",),
        clause=("arc {e} is {v.plain} degrees",),
    ),
    "perpendicular": Wordings(
        affirm=(
            "{e} is perpendicular to {f}.",
            "{e} ⊥ {f}.",
            r"The small square tells us that $\overline{{{e}}} \perp \overline{{{f}}}$.",
            "- {e} and {f} are perpendicular",
            "Lines {e} and {f} meet at a right angle.",
        ),
        deny=(
            "{e} is not perpendicular to {f}.",
            "{e} and {f} are not perpendicular.",
            "{e} does not meet {f} at a right angle.",
        ),
        clause=("{e} is perpendicular to {f}", "{e} ⊥ {f}"),
    ),
    "parallel": Wordings(
        affirm=(
            "{e} is parallel to {f}.",
            "The arrows show {e} ∥ {f}.",
            r"In the diagram $\overline{{{e}}} \parallel \overline{{{f}}}$.",
            "* {e} and {f} are parallel lines",
            "We have {e} || {f}.",
        ),
        deny=(
            "{e} is not parallel to {f}.",
            r"Note $\overline{{{e}}} \nparallel \overline{{{f}}}$.",
        ),
        clause=("{e} is parallel to {f}", "{e} ∥ {f}"),
    ),
    "on_line": Wordings(
        affirm=(
            "Point {e} lies on line {f}.",
            "{e} is a point on {f}.",
            r"The point ${e}$ is on segment $\overline{{{f}}}$.",
            "- {e} lies on {f}",
            "{f} passes through {e}.",
        ),
        deny=("Point {e} does not lie on {f}.",),
        clause=("{e} lies on {f}",),
    ),
    "on_circle": Wordings(
        affirm=(
            "Point {e} lies on the circle with center {f}.",
            "{e} is on circle {f}.",
            r"The point ${e}$ lies on $\odot {f}$.",
            "- {e} is a point on circle {f}",
            "The circle centered at {f} passes through {e}.",
        ),
        deny=("{e} is not on circle {f}.",),
        clause=("{e} lies on circle {f}",),
    ),
    "equal_length": Wordings(
        affirm=(
            "{e} and {f} are equal in length.",
            "{e} = {f}.",
            r"The tick marks show $\overline{{{e}}} \cong \overline{{{f}}}$.",
            "- {e} is equal to {f}",
        ),
        deny=(
            "{e} is not equal to {f}.",
            "{e} ≠ {f}.",
        ),
        clause=("{e} = {f}", "{e} is equal to {f}"),
    ),
    "equal_angle": Wordings(
        affirm=(
            "Angle {e} equals angle {f}.",
            "∠{e} = ∠{f}.",
            r"The arc marks give $\angle {e} \cong \angle {f}$.",
            "- Angles {e} and {f} are congruent",
        ),
        deny=("Angle {e} is not equal to angle {f}.",),
        clause=("angle {e} equals angle {f}",),
    ),
    "right_angle": Wordings(
        affirm=(
            "Angle {e} is a right angle.",
            "∠{e} = 90°.",
            r"The little square shows $\angle {e} = 90^\circ$.",
            "- Angle {e}: right angle",
        ),
        deny=(
            "Angle {e} is not a right angle.",
            "∠{e} = 75°.",
        ),
        clause=("angle {e} is a right angle",),
    ),
    "diameter": Wordings(
        affirm=(
            "{e} is a diameter of the circle.",
            r"$\overline{{{e}}}$ is the diameter of the circle.",
            "- Diameter: {e}",
        ),
        deny=("{e} is not a diameter of the circle.",),
        clause=("{e} is a diameter",),
    ),
    "tangent": Wordings(
        affirm=(
            "{e} is tangent to the circle.",
            r"The line ${e}$ is a tangent of the circle.",
            "- {e}: tangent to the circle",
        ),
        deny=("{e} is not tangent to the circle.",),
        clause=("{e} is tangent to the circle",),
    ),
    "shape": Wordings(
        affirm=(
            "Quadrilateral {e} is a {f}.",
            "The figure is a {f} {e}.",
            "We have {f} ${e}$ here.",
        ),
        deny=("{e} is not a {f}.",),
        clause=("{e} is a {f}",),
    ),
    "count": Wordings(
        affirm=(
            "There are {v.word} {e}.",
            "I see {v.digit} {e} in the picture.",
            "- {e}: {v.digit}",
            "The image shows {v.word} {e} and {w.word} {o}.",
            "| item | count |\n|---|---|\n| {e} | {v.digit} |\n| {o} | {w.digit} |",
        ),
        deny=(
            "There are not {v.word} {e}.",
            "There are no {e} in the image.",
        ),
        clause=("there are {v.word} {e}",),
    ),
    "attribute": Wordings(
        affirm=(
            "The {e} is {v}.",
            "I can see a {v} {e} in the middle of the scene.",
            "- {e}: {v}",
            "In the foreground the {e} is clearly {v}, and the {o} is {w}.",
        ),
        deny=("The {e} is not {v}.",),
        clause=("the {e} is {v}",),
    ),
    "chart_value": Wordings(
        affirm=(
            "{m} in {e} were {v}.",
            "In {e}, {m} reached {v}.",
            "- {e}: {v}",
            "| Year | {m} |\n|---|---|\n| {o} | {w} |\n| {e} | {v} |",
            "The bar for {e} stands at {v}, while {o} has {w}.",
        ),
        deny=("{m} in {e} were not {v}.",),
        clause=("{m} in {e} were {v}",),
    ),
    "text_label": Wordings(
        affirm=(
            "The {e} reads {v}.",
            'There is a {e} that says "{v}".',
            "- {e}: {v}",
            "The text on the {e} is '{v}'.",
        ),
        deny=("The {e} does not read {v}.",),
        clause=("the {e} reads {v}",),
    ),
    "spatial": Wordings(
        affirm=(
            "The {e} is {v.mid} the {f}.",
            "I see the {e} {v.mid} the {f}.",
            "- {e}: {v.mid} the {f}",
            "In the picture, the {e} sits {v.mid} the {f}.",
        ),
        deny=("The {e} is not {v.mid} the {f}.",),
        clause=("the {e} is {v.mid} the {f}",),
    ),
    "existence": Wordings(
        affirm=(
            "There is a {e} in the image.",
            "I can see a {e} here.",
            "The scene includes a {e} and a {o}.",
        ),
        deny=("There is no {e}.", "I do not see a {e} anywhere."),
        clause=("there is a {e}",),
    ),
}


HELD_OUT: dict[str, Wordings] = {
    "length": Wordings(
        affirm=(
            "The length of {e} is {v.uni}.",
            "Side {e} is {v.plain} units long.",
            r"Reading the labels: \( {e} = {v.tex} \).",
            "* **{e}** = {v.uni}",
            "On {e} the figure gives {v.uni}.",
            r"\[ {o} = {w.tex}, \quad {e} = {v.tex} \]",
            "Here {e} has a length of {v.uni}, whereas {o} has one of {w.uni}.",
            "| {e} | {v.uni} |",
        ),
        deny=(
            "The length of {e} isn't {v.uni}.",
            "{e} ≠ {v.uni}.",
        ),
        clause=("the length of {e} is {v.uni}", "{e} equals {v.plain}"),
    ),
    "angle": Wordings(
        affirm=(
            "The measure of angle {e} is {v.uni}°.",
            r"Looking at the picture, \(\angle {e}\) is \({v.tex}^\circ\).",
            "m∠{e} = {v.plain}°, and m∠{o} = {w.plain}°.",
            "* **∠{e}**: {v.uni} degrees",
            "| ∠{e} | {v.uni}° |",
            "Angle {e} is given as {v.uni}°.",
        ),
        deny=(
            r"$\angle {e} \ne {v.tex}^\circ$.",
            "The measure of angle {e} isn't {v.uni}°.",
        ),
        clause=("∠{e} measures {v.uni}°", "the measure of angle {e} is {v.plain} degrees"),
    ),
    "arc": Wordings(
        affirm=(
            r"We read $m\widehat{{{e}}} = {v.tex}^{{\circ}}$ off the circle.",
            "The arc {e} is labelled {v.uni}°.",
            "- Measure of arc {e}: {v.uni}°",
            "Arc {e} is {v.plain} degrees and arc {o} is {w.plain} degrees.",
        ),
        deny=("Arc {e} does not measure {v.uni}°.",),
        clause=("the measure of arc {e} equals {v.uni}°",),
    ),
    "perpendicular": Wordings(
        affirm=(
            "{e} forms a 90° angle with {f}.",
            r"As marked, \({e} \perp {f}\).",
            "Segment {f} is perpendicular to segment {e}.",
            "* **{e} ⊥ {f}** (square mark)",
        ),
        deny=(
            "{e} isn't perpendicular to {f}.",
            "{e} is nowhere near perpendicular to {f}.",
        ),
        clause=("{f} and {e} are perpendicular", "{e} is perpendicular to {f}"),
    ),
    "parallel": Wordings(
        affirm=(
            "Lines {e} and {f} are parallel to each other.",
            r"The marks mean \({f} \parallel {e}\).",
            "The line {e} runs parallel to {f}.",
            "- {f} is parallel to {e} (arrows)",
        ),
        deny=(
            "{e} and {f} aren't parallel.",
            "{e} ∦ {f}.",
        ),
        clause=("{f} and {e} are parallel", "{e} is parallel to {f}"),
    ),
    "on_line": Wordings(
        affirm=(
            "{e} sits on {f}.",
            r"\({e}\) lies on \(\overline{{{f}}}\).",
            "We note that {e} is on the segment {f}.",
            "The points on line {f} include {e}.",
        ),
        deny=("{e} is not on line {f}.",),
        clause=("{e} is on segment {f}",),
    ),
    "on_circle": Wordings(
        affirm=(
            "Circle {f} goes through {e}.",
            "{e} is one of the points on ⊙{f}.",
            r"We have \({e}\) on the circle with centre \({f}\).",
            "Circle {f} contains the point {e} on its circumference.",
        ),
        deny=("The point {e} does not lie on circle {f}.",),
        clause=("{e} is on the circle with center {f}",),
    ),
    "equal_length": Wordings(
        affirm=(
            "{e} and {f} are congruent.",
            r"By the tick marks, \({f} = {e}\).",
            "Segment {e} has the same length as {f}.",
            "* **{e} ≅ {f}**",
        ),
        deny=(
            "{e} and {f} are not congruent.",
            "{e} isn't the same length as {f}.",
        ),
        clause=("{e} and {f} are equal", "{f} = {e}"),
    ),
    "equal_angle": Wordings(
        affirm=(
            r"\(\angle {f} = \angle {e}\).",
            "∠{e} and ∠{f} have the same measure.",
            "∠{e} ≅ ∠{f}, as the arcs show.",
            "The angles {e} and {f} are equal.",
        ),
        deny=("∠{e} and ∠{f} are not congruent.",),
        clause=("∠{f} = ∠{e}",),
    ),
    "right_angle": Wordings(
        affirm=(
            "There is a right angle at ∠{e}.",
            r"\(m\angle {e} = 90^\circ\).",
            "∠{e} is right, as the square marks.",
            "The angle {e} measures 90 degrees.",
        ),
        deny=(
            "∠{e} isn't a right angle.",
            "∠{e} is 80°.",
        ),
        clause=("∠{e} is a right angle", "∠{e} is 90°"),
    ),
    "diameter": Wordings(
        affirm=(
            "The circle has diameter {e}.",
            "Segment {e} is a diameter.",
            r"The chord \({e}\) is a diameter of the circle.",
        ),
        deny=("{e} isn't a diameter.",),
        clause=("{e} is a diameter of the circle",),
    ),
    "tangent": Wordings(
        affirm=(
            "The segment {e} is tangent to the circle.",
            r"\(\overline{{{e}}}\) is a tangent segment.",
            "{e} touches the circle, so it is a tangent.",
        ),
        deny=("{e} isn't tangent to the circle.",),
        clause=("{e} is a tangent",),
    ),
    "shape": Wordings(
        affirm=(
            "In the picture, {e} is a {f}.",
            "{e} forms a {f}.",
            r"The {f} \({e}\) is drawn.",
        ),
        deny=("{e} isn't a {f}.",),
        clause=("quadrilateral {e} is a {f}",),
    ),
    "count": Wordings(
        affirm=(
            "I count {v.word} {e}.",
            "Looking closely, {v.digit} {e} are visible.",
            "* **{e}** – {v.digit}",
            "The number of {e} is {v.digit}.",
            "A total of {v.word} {e} can be seen, along with {w.word} {o}.",
            "| {e} | {v.digit} |",
        ),
        deny=(
            "I cannot see any {e}.",
            "The number of {e} is not {v.digit}.",
        ),
        clause=("{v.digit} {e} are shown",),
    ),
    "attribute": Wordings(
        affirm=(
            "Next to the {o} stands a {v} {e}.",
            "The colour of the {e} is {v}.",
            "* **{e}** = {v}",
            "The {e} looks to be painted {v}; the {o} is {w}.",
            "There's a {v} {e}.",
        ),
        deny=("The {e} isn't {v}.",),
        clause=("there is a {v} {e}",),
    ),
    "chart_value": Wordings(
        affirm=(
            "The value of {m} for {e} is {v}.",
            "According to the chart, {m} were {v} in {e}.",
            "* **{e}** → {v}",
            "| {e} | {v} |",
            "{m} amounted to {w} in {o} and {v} in {e}.",
        ),
        deny=("In {e}, {m} were not {v}.",),
        clause=("the value of {m} for {e} is {v}",),
    ),
    "text_label": Wordings(
        affirm=(
            'The {e} has "{v}" written on it.',
            "On the {e} we can read {v}.",
            "* **{e}** says “{v}”",
            "The {e} is labeled {v}.",
        ),
        deny=("The {e} doesn't say {v}.",),
        clause=('the {e} says "{v}"',),
    ),
    "spatial": Wordings(
        affirm=(
            "There is a {e} {v.mid} the {f}.",
            "Looking at the scene, the {e} is placed {v.mid} the {f}.",
            "* the {e} is located {v.mid} a {f}",
            "We find the {f}, and the {e} is {v.mid} it.",
        ),
        deny=("The {e} isn't {v.mid} the {f}.",),
        clause=("a {e} is {v.mid} the {f}",),
    ),
    "existence": Wordings(
        affirm=(
            "The image contains a {e}.",
            "A {e} is visible in the background.",
            "In the picture we find a {o}, a {e} and some clouds.",
        ),
        deny=("No {e} is visible.", "The picture does not contain a {e}."),
        clause=("the image contains a {e}",),
    ),
}


FRESH: dict[str, Wordings] = {
    "length": Wordings(
        affirm=(
            "Looking at side {e}, I read off {v.uni}.",
            "According to the diagram the distance from one end of {e} to the other is {v.plain}.",
            r"So the given lengths are ${e}={v.tex}$ and ${o}={w.tex}$.",
            "{e} (marked {v.uni}) is the side we know.",
        ),
        deny=("It would be wrong to say that {e} is {v.uni}.", "{e} is certainly not {v.uni} long."),
        clause=("{e} has a length of {v.uni}",),
    ),
    "angle": Wordings(
        affirm=(
            "The picture labels ∠{e} with {v.uni}°.",
            "We know angle {e}: it is {v.uni}°.",
            r"The given angle is \(\angle {e}={v.tex}^\circ\), which I will use later.",
        ),
        deny=("∠{e} can't be {v.uni}°.", "Angle {e} has a measure different from {v.uni}°."),
        clause=("angle {e} is equal to {v.uni}°",),
    ),
    "arc": Wordings(
        affirm=(
            "The arc from one end of {e} to the other, arc {e}, is {v.uni}°.",
            "For arc {e} the figure says {v.uni}°.",
            r"It is given that $\widehat{{{e}}}$ has measure ${v.tex}^\circ$.",
        ),
        deny=("Arc {e} is anything but {v.uni}°.", "The figure does not give {v.uni}° for arc {e}."),
        clause=("arc {e} has a measure of {v.uni}°",),
    ),
    "perpendicular": Wordings(
        affirm=(
            "{e} and {f} intersect to form right angles.",
            "The square symbol where they cross means that {e} is at right angles to {f}.",
            "{e} stands perpendicular on {f}.",
        ),
        deny=("Nothing makes {e} perpendicular to {f}; the two meet at 70°.", "It is false that {e} ⊥ {f}."),
        clause=("{e} and {f} form a right angle",),
    ),
    "parallel": Wordings(
        affirm=(
            "Because {e} ∥ {f}, the alternate angles agree.",
            "{e} and {f} are a pair of parallel segments.",
            "The arrowheads indicate that side {e} is parallel to side {f}.",
        ),
        deny=(
            "{e} fails to be parallel to {f}.",
            "The lines {e} and {f} are not parallel, since they meet when extended.",
        ),
        clause=("the lines {e} and {f} are parallel",),
    ),
    "on_line": Wordings(
        affirm=(
            "The line {f} contains point {e}.",
            "Point {e} can be found on the line {f}.",
            "{f} is a straight line through {e}.",
        ),
        deny=("{e} is clearly off to one side of {f}.", "Point {e} does not belong to the line {f}."),
        clause=("point {e} is on {f}",),
    ),
    "on_circle": Wordings(
        affirm=(
            "The point {e} is on the circumference of circle {f}.",
            "Circle {f} passes through the point {e}.",
            "On the circle with centre {f} we find the point {e}.",
        ),
        deny=("{e} is in the interior of circle {f}.", "Point {e} isn't on circle {f}."),
        clause=("point {e} is on circle {f}",),
    ),
    "equal_length": Wordings(
        affirm=(
            "The single tick on both {e} and {f} tells us they are equal.",
            "{e} is as long as {f}.",
            "We have two congruent sides, {e} and {f}.",
        ),
        deny=("{e} is shorter than {f}.", "The sides {e} and {f} do not have the same length."),
        clause=("{e} has the same length as {f}",),
    ),
    "equal_angle": Wordings(
        affirm=(
            "Both ∠{e} and ∠{f} carry one arc, so ∠{e} = ∠{f}.",
            "∠{e} is equal to ∠{f}.",
            "Angle {e} is congruent to angle {f}, as marked.",
        ),
        deny=("∠{e} is bigger than ∠{f}.", "We cannot have ∠{e} = ∠{f}."),
        clause=("∠{e} is congruent to ∠{f}",),
    ),
    "right_angle": Wordings(
        affirm=(
            "The box at the corner means ∠{e} is 90°.",
            "Since ∠{e} is a right angle, the Pythagorean theorem applies.",
            "∠{e} has a measure of 90 degrees.",
        ),
        deny=("∠{e} is only 70°.", "∠{e} does not look like a right angle, and it is not one."),
        clause=("∠{e} equals 90°",),
    ),
    "diameter": Wordings(
        affirm=(
            "{e} passes through the centre, so it is a diameter.",
            "Since {e} is the diameter, the inscribed angle is right.",
            "The diameter {e} splits the circle in two halves.",
        ),
        deny=("{e} is a chord that does not go through the centre.", "{e} is no diameter of this circle."),
        clause=("{e} is the diameter of the circle",),
    ),
    "tangent": Wordings(
        affirm=(
            "{e} touches the circle at exactly one point.",
            "The tangent {e} is drawn from an outside point.",
            "Because {e} is a tangent to the circle, the radius there is perpendicular to it.",
        ),
        deny=("{e} cuts the circle in two points.", "{e} does not touch the circle at all."),
        clause=("{e} is a tangent to the circle",),
    ),
    "shape": Wordings(
        affirm=(
            "{e} is clearly a {f}.",
            "Since {e} is a {f}, its opposite sides can be compared.",
            "The quadrilateral {e} in the drawing is a {f}.",
        ),
        deny=("{e} cannot be a {f}.", "{e} looks like a {f} but is not one."),
        clause=("the figure {e} is a {f}",),
    ),
}


UNCOMMITTED: dict[str, tuple[str, ...]] = {
    # Sentences that mention a fact without holding it true; `{c}` is the fact's clause, `{d}` that of another one.
    "tune": (
        "Perhaps {c}, but I cannot tell from the picture.",
        "If {c}, then the answer would follow at once.",
        "Suppose {c}.",
        "Is it true that {c}?",
        "The choices are:\n(A) {d}\n(B) {c}\n(C) none of these",
        "It might be that {c}.",
    ),
    "held_out": (
        "It is unclear whether {c}.",
        "Assume for a moment that {c}.",
        "Could it be that {c}?",
        "Maybe {c}; it is hard to read.",
        "A. {c}\nB. {d}\nC. neither",
        "I am not sure that {c}.",
        "Were it the case that {c}, we would be done.",
    ),
    "fresh": (
        "Whether {c} is not something that I can read off.",
        "Let us pretend for now that {c}.",
        "Would it help if {c}?",
        "Possibly {c}, though the drawing does not say so.",
        "Either {c} or {d}.",
        "I wonder if {c}.",
    ),
}


SURROUNDINGS: dict[str, tuple[str, ...]] = {
    # Thinking aloud that commits to nothing about the fact: `{o}`, `{p}` are other elements, `{w}` a value.
    "geometry": (
        "Let me look at the figure carefully.",
        "We need to find the unknown, so let us set up an equation.",
        "The label near {o} is {w}.",
        "The segment {o} has length {w}.",
        "By the Pythagorean theorem we can get the remaining side.",
        "Also, {p} = {w} is marked in the diagram.",
        "Next, I combine the two relations and simplify.",
        "The angles of a triangle add up to 180 degrees.",
        "Solving this gives the value that the question asks for.",
        "I will come back to {p} later.",
        "Note that 2 + 3 = 5, so the constant checks out.",
        "Therefore the final answer follows from the similar triangles.",
    ),
    "scene": (
        "Let me look at the picture carefully.",
        "The photo seems to have been taken outdoors.",
        "There is some shade on the right side.",
        "In the distance, a {o} can be made out.",
        "The light comes from above.",
        "The {p} takes up a good part of the frame.",
        "Now I can answer the question.",
        "The overall mood is calm.",
        "To answer, I only need what is visible.",
    ),
    "chart": (
        "Let me read the chart step by step.",
        "The x axis carries the categories, the y axis the amounts.",
        "For {o}, the value is {w}.",
        "The legend stands in the upper right corner.",
        "Then I compare the two numbers.",
        "The trend is easy to follow.",
        "So the answer follows from the difference.",
    ),
}
