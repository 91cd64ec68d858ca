"""The lot `unread`: wordings by somebody who had read no rule, prompt or selection of the judges, nor their attacks.

They imitate how different models and students write: LaTeX, lists, terse notes, prose, thinking aloud. All were
written down before any judge had read one of them. Never mend a judge for one of these; what is mended for is spent,
and another lot has to take its place. Slots and fields are those of `phrasings`. `{e[0]}` and `{f[1]}` are single
points of a name, which may be read backwards.
"""

from __future__ import annotations

from phrasings import Wordings

UNREAD: dict[str, Wordings] = {
    "length": Wordings(
        affirm=(
            "From the figure we see that the side joining {e[0]} and {e[1]} is marked {v.uni}.",
            r"Reading the image: $|{e}| = {v.tex}$ and $|{o}| = {w.tex}$.",
            "**What the figure shows**\n1. Side {o}: {w.uni}\n2. Side {e}: {v.uni}",
            "OK, so between {e[0]} and {e[1]} there's the label {v.uni}, meaning {e} is {v.uni} long.",
            r"\[ \begin{{aligned}} {o} &= {w.tex} \\ {e} &= {v.tex} \end{{aligned}} \]",
            "{v.uni} is the length of {e}, as indicated in the image.",
        ),
        deny=(
            "I misread this at first: {e} is {w.uni}, not {v.uni}.",
            "The {v.uni} belongs to {o}; {e} has {w.uni} written on it.",
            "{e} has to be longer than {v.uni}.",
            r"$|{e}| \neq {v.tex}$, that much is clear.",
        ),
        clause=("the side {e} comes to {v.uni}", r"$|{e}| = {v.tex}$"),
        unsettled=(
            "I need to find {e}; all I have so far is {o} = {v.uni}.",
            "What would {e} be? I can only read {o} = {v.uni}.",
            "{e} and {o} carry the labels {v.uni} and {w.uni} in some order; I can't tell which has which.",
        ),
    ),
    "angle": Wordings(
        affirm=(
            r"\[ \measuredangle {e} = {v.tex}^\circ \quad \text{{(given)}} \]",
            "Looking at vertex {e[1]}, the angle between {e[1]}{e[0]} and {e[1]}{e[2]} is marked as {v.uni}°.",
            "{v.uni}° is what the diagram gives for ∠{e}.",
            "**Known angles**\n- ∠{e} → {v.uni}°",
            "OK, ∠{e}: that one's {v.uni} degrees.",
            "We're told that ∠{e} equals {v.uni} degrees.",
        ),
        deny=(
            "∠{e} is {w.uni}° rather than {v.uni}°.",
            "I thought ∠{e} was {v.uni}°, but on a second look it's {w.uni}°.",
            "The {v.uni}° mark sits at ∠{o}, whereas ∠{e} is {w.uni}°.",
            "∠{e} is clearly larger than {v.uni}°.",
        ),
        clause=("∠{e} comes to {v.uni}°", r"$m\angle {e} = {v.tex}^\circ$"),
        unsettled=(
            "I have to work out ∠{e}; the {v.uni}° that is shown is for ∠{o}.",
            "How big is ∠{e}? I can only see {v.uni}° at ∠{o}.",
            "{v.uni}° and {w.uni}° are for ∠{e} and ∠{o}, but I don't know which is which.",
        ),
    ),
    "arc": Wordings(
        affirm=(
            r"$\mathrm{{arc}}\ {e} = {v.tex}^\circ$ from the figure.",
            "Going along the circle from {e[0]} to {e[1]}, the arc is marked {v.uni}°.",
            "The arc {e} spans {v.uni}°.",
            "**Arcs**\n- {e}: {v.uni}°",
            "⌒{e} = {v.uni}°.",
            "{v.uni} degrees is the label on arc {e}.",
        ),
        deny=(
            "Arc {e} is {w.uni}°, so the {v.uni}° must be for some other arc.",
            "I misread arc {e} at first; its label says {w.uni}°, not {v.uni}°.",
            "Arc {e} has to be bigger than {v.uni}°.",
            "⌒{e} ≠ {v.uni}°.",
        ),
        clause=("⌒{e} is {v.uni}°", "arc {e} comes to {v.uni} degrees"),
        unsettled=(
            "I'm after the measure of arc {e}; arc {o} is {v.uni}°.",
            "How large is arc {e}? The figure has {v.uni}° on arc {o}.",
            "Arc {e} is what we're looking for, so call it θ.",
        ),
    ),
    "perpendicular": Wordings(
        affirm=(
            "∵ {e}⊥{f} (given).",
            "There's a little box where {e} meets {f}, which makes them perpendicular.",
            "The angle that {e} makes with {f} is 90°.",
            "**Relations**\n- {e} ⟂ {f}",
            r"Since $\overline{{{e}}}$ is drawn at $90^\circ$ to $\overline{{{f}}}$, we can use trigonometry.",
            "Looking at the right-angle mark, {e} is perpendicular to line {f}.",
        ),
        deny=(
            "{e} and {f} run parallel to each other.",
            "The angle between {e} and {f} is 75°, not 90°.",
            "{e} hits {f} at a slant, so there's no right angle between them.",
            r"${e} \not\perp {f}$.",
        ),
        clause=("the angle between {e} and {f} is 90°", "{e} ⟂ {f}"),
        unsettled=(
            "Goal: show that {e} ⊥ {f}.",
            "If I want to use Pythagoras, I first need {e} perpendicular to {f}, and that's still open.",
            "There's a right-angle mark somewhere, but I can't tell whether it's the one between {e} and {f}.",
        ),
    ),
    "parallel": Wordings(
        affirm=(
            "∵ {e} // {f}.",
            "{e} and {f} carry matching arrows, so they're parallel.",
            "Extend them as far as you like, {e} and {f} never meet: they're parallel.",
            r"We're given $\overline{{{e}}} \| \overline{{{f}}}$.",
            "**Parallel sides:** {e} and {f}",
            "The figure shows two parallel lines, {e} and {f}.",
        ),
        deny=(
            "{e} and {f} are perpendicular.",
            "{e} and {f} cross at an angle of 40°.",
            "{e} is a transversal that cuts across line {f}.",
            r"${e} \not\parallel {f}$.",
        ),
        clause=("{e} // {f}", "{e} has the same direction as {f}"),
        unsettled=(
            "To get {e} // {f}, I'd have to show equal alternate angles first.",
            "Which side is parallel to {e}? Maybe {f}, maybe another one.",
            "Let's draw an auxiliary line through {e[0]} parallel to {f}.",
        ),
    ),
    "on_line": Wordings(
        affirm=(
            "{f[0]}, {e} and {f[1]} are collinear.",
            "{e} splits {f} into {f[0]}{e} and {e}{f[1]}.",
            r"We have ${e} \in {f}$.",
            "Moving along {f} from {f[0]} to {f[1]}, we pass point {e}.",
            "**Points**\n- {e}: on line {f}",
            "Looking at line {f}, point {e} is right on it.",
        ),
        deny=(
            "{e}, {f[0]} and {f[1]} are the corners of a triangle, so they don't line up.",
            "{e} is not collinear with {f[0]} and {f[1]}.",
            "Line {f} misses point {e}.",
            r"${e} \notin \overleftrightarrow{{{f}}}$.",
        ),
        clause=("{e} is collinear with {f[0]} and {f[1]}", "{e} falls on {f}"),
        unsettled=(
            "Where exactly is {e}: on {f} or beside it? Hard to see.",
            "I'll extend {f} and see whether it reaches {e}.",
            "Next I need the distance from {e} to {f[0]}.",
        ),
    ),
    "on_circle": Wordings(
        affirm=(
            "{e} lies on ⊙{f}.",
            "{f}{e} is a radius, so {e} is on circle {f}.",
            "Looking at circle {f}, point {e} is right on its edge.",
            r"${e} \in \odot {f}$.",
            "**Points on circle {f}:** {e}",
            "⊙{f} is drawn through {e}.",
        ),
        deny=(
            "{e} lies outside ⊙{f}.",
            "{f}{e} is longer than the radius of circle {f}, so {e} is beyond it.",
            "⊙{f} doesn't go through {e}.",
            "The circle around {f} is too small to reach {e}.",
        ),
        clause=("{e} lies on ⊙{f}", "⊙{f} passes through {e}"),
        unsettled=(
            "Is {f}{e} a radius of circle {f}? I'd have to check.",
            "There's a circle around {f}, and there's a point {e}, but how they relate isn't clear to me.",
            "I need the distance from {e} to the center {f}.",
        ),
    ),
    "equal_length": Wordings(
        affirm=(
            "{e} and {f} have the same tick marks, so {e} ≅ {f}.",
            r"$|{e}| = |{f}|$ (marked).",
            "∵ {e} = {f}, the base angles match.",
            "**Equal sides**\n- {e} and {f}",
            "The same number of ticks on {e} and {f}, which means they're the same length.",
            "Whatever the length of {e} is, {f} has that length too.",
        ),
        deny=(
            "{e} is twice as long as {f}.",
            "{e} and {f} have different tick marks: their lengths differ.",
            "{e} > {f}.",
            r"$|{e}| \neq |{f}|$.",
        ),
        clause=("{e} and {f} match in length", r"${e} \cong {f}$"),
        unsettled=(
            "{e} is marked equal to {o}; about {f} nothing is said.",
            "If I could show {e} ≅ {f}, SSS would finish the proof.",
            "Next step: compare {e} and {f}.",
        ),
    ),
    "equal_angle": Wordings(
        affirm=(
            "∠{e} and ∠{f} are marked with the same arc, hence equal.",
            r"$m\angle {e} = m\angle {f}$ (given).",
            "Looking at the arc marks, ∠{e} is the same size as ∠{f}.",
            "**Equal angles**\n- ∠{e} and ∠{f}",
            "∵ ∠{e} = ∠{f}, we have similar triangles.",
            "Angles {e} and {f} come out equal.",
        ),
        deny=(
            "∠{e} is twice ∠{f}.",
            "∠{e} < ∠{f}.",
            r"$\angle {e} \not\cong \angle {f}$.",
            "∠{e} exceeds ∠{f} by 10°.",
        ),
        clause=("m∠{e} = m∠{f}", "∠{e} and ∠{f} are of the same size"),
        unsettled=(
            "∠{e} matches ∠{o}; about ∠{f} nothing is said.",
            "For AA similarity I'd want ∠{e} = ∠{f}.",
            "Next I'll compare ∠{e} with ∠{f}.",
        ),
    ),
    "right_angle": Wordings(
        affirm=(
            "There's a small square at {e[1]}, so ∠{e} is right.",
            "Triangle {e} is right-angled at {e[1]}.",
            r"$\overline{{{e[0]}{e[1]}}} \perp \overline{{{e[1]}{e[2]}}}$, so $\angle {e} = 90^\circ$.",
            "m∠{e} is 90 (box in the corner).",
            "**Right angles**\n- ∠{e}",
            "△{e}: right triangle, right angle at {e[1]}.",
        ),
        deny=(
            "∠{e} is obtuse.",
            "∠{e} = 85°, a bit short of a right angle.",
            "∠{e} is acute.",
            "Triangle {e} has no right angle at {e[1]}.",
        ),
        clause=("triangle {e} has its right angle at {e[1]}", "∠{e} = 90 degrees"),
        unsettled=(
            "Next I have to find ∠{e}.",
            "For sine and cosine I need a right angle; would ∠{e} do? No idea yet.",
            "∠{e} looks roughly square, but nothing marks it, so I leave it open.",
        ),
    ),
    "diameter": Wordings(
        affirm=(
            "The endpoints of {e} are at opposite ends of the circle, so {e} is a diameter.",
            "∵ {e} is a diameter of ⊙O.",
            "Half of the diameter {e} is the radius.",
            "**Circle:** diameter {e}",
            r"Let $r$ be the radius. Since ${e}$ is a diameter, ${e} = 2r$.",
            "Looking at the chord {e}, it is the longest one possible, a diameter.",
        ),
        deny=(
            "{e} is a radius of the circle.",
            "{e} is only a chord; the diameter is longer.",
            "The center of the circle isn't on {e}.",
            "{e} is shorter than a diameter of the circle.",
        ),
        clause=("{e} is a diameter of ⊙O", "{e} is the circle's diameter"),
        unsettled=(
            "I need a diameter here; would {e} be one?",
            "To apply Thales, I'd have to know first that {e} is a diameter.",
            "I want the length of {e} and the size of the circle.",
        ),
    ),
    "tangent": Wordings(
        affirm=(
            "∵ {e} is tangent to ⊙O.",
            "I'll use the tangent {e} and the radius to its point of contact.",
            r"$\overleftrightarrow{{{e}}}$ is a tangent line of the circle.",
            "**Tangents to the circle**\n- {e}",
            "Line {e} just grazes the circle.",
            "Looking at the circle, {e} is one of its tangents.",
        ),
        deny=(
            "{e} is a secant of the circle.",
            "{e} is a chord of the circle.",
            "{e} runs through the inside of the circle.",
            "Line {e} never reaches the circle.",
        ),
        clause=("{e} is tangent to ⊙O", "line {e} grazes the circle"),
        unsettled=(
            "Tangent or secant, which one is {e}?",
            "The radius to the point of contact would help if {e} were a tangent, but I don't know that.",
            "I need the length of {e} and the radius of the circle.",
        ),
    ),
    "shape": Wordings(
        affirm=(
            "Looking at {e}: it's a {f}.",
            "In {f} {e}, let me look at the diagonals.",
            "**Shape:** {f} {e}",
            r"Quadrilateral ${e}$ is given to be a {f}.",
            "{e[0]}, {e[1]}, {e[2]} and {e[3]} are the vertices of a {f}.",
            "∵ {e} is a {f}.",
        ),
        deny=(
            "{e} does not form a {f}.",
            "No two sides of {e} are parallel or equal, so it's no {f}.",
            "{e} is just an irregular quadrilateral, not a {f}.",
            "Calling {e} a {f} would be a mistake.",
        ),
        clause=("{e} forms a {f}", "{e} has the shape of a {f}"),
        unsettled=(
            "To call {e} a {f} I'd have to check its sides first.",
            "What kind of quadrilateral is {e}? A {f}, a general one?",
            "The properties of a {f} might help with {e}, if they apply at all.",
        ),
    ),
    "count": Wordings(
        affirm=(
            "Altogether I can see {v.word} {e}.",
            "Counting the {e}: {v.digit} in total.",
            "{v.word} {e} are in the picture.",
            "**Objects**\n- {o}: {w.digit}\n- {e}: {v.digit}",
            "We have {v.digit} {e} here, plus {w.digit} {o}.",
            "- {v.digit} × {e}",
        ),
        deny=(
            "It's {w.word} {e}, not {v.word}.",
            "There are more than {v.word} {e}.",
            "No {e} at all in this image.",
            "At first I saw {v.word} {e}, but after recounting there are {w.word}.",
        ),
        clause=("there are {v.digit} {e} in total", "the picture has {v.word} {e}"),
        unsettled=(
            "I need to count the {e}.",
            "How many {e} are there? I've only counted the {o} so far: {v.word}.",
            "Some of the {e} may be hidden, so I won't give a number.",
        ),
    ),
    "attribute": Wordings(
        affirm=(
            "Looking at the {e}, it's {v}.",
            "The color of the {e}: {v}.",
            "{v} is the color of the {e}.",
            "**Colors**\n- {o}: {w}\n- {e}: {v}",
            "I notice the {v} {e}.",
            "The {e} appears in {v}.",
        ),
        deny=(
            "The {e} is {w}, not {v}.",
            "The {e} is any color but {v}.",
            "At first glance the {e} looked {v}, but it's {w}.",
            "It's the {o} that is {v}; the {e} is {w}.",
        ),
        clause=("the {e} is colored {v}", "the color of the {e} is {v}"),
        unsettled=(
            "I need the color of the {e}.",
            "What color is the {e}? The {o} is {v}, that much I can see.",
            "One of the two, the {e} or the {o}, is {v}, but I can't tell which.",
        ),
    ),
    "chart_value": Wordings(
        affirm=(
            "From the chart, {m} in {e} come to {v}.",
            "{e}: {m} = {v}.",
            "Looking at {e}, the bar for {m} goes up to {v}.",
            "**{m}**\n- {o}: {w}\n- {e}: {v}",
            "{v} is the figure for {m} in {e}.",
            "In {e} we have {v} for {m}, against {w} in {o}.",
        ),
        deny=(
            "{m} in {e} were {w}, not {v}.",
            "In {e}, {m} stayed below {v}.",
            "{v} is the value of {m} for {o}; {e} has {w}.",
            "In {e}, {m} were well above {v}.",
        ),
        clause=("{m} in {e} came to {v}", "the {e} bar for {m} is at {v}"),
        unsettled=(
            "I need {m} in {e}.",
            "What were {m} in {e}? I can only read {v} for {o}.",
            "{v} and {w} belong to {e} and {o}, but in which order I can't tell.",
        ),
    ),
    "text_label": Wordings(
        affirm=(
            'Looking at the {e}, I can read "{v}".',
            "The {e} bears the words {v}.",
            '"{v}" is printed on the {e}.',
            '**Text**\n- {o}: "{w}"\n- {e}: "{v}"',
            "It says {v} on the {e}.",
            "The text of the {e}: {v}.",
        ),
        deny=(
            'The {e} says "{w}", not "{v}".',
            "There's no text on the {e} at all.",
            '"{v}" is on the {o}; the {e} reads "{w}".',
            "I first took the text on the {e} for {v}, but it's {w}.",
        ),
        clause=('the words on the {e} are "{v}"', "it says {v} on the {e}"),
        unsettled=(
            "I need to read the {e}.",
            "What's on the {e}? The {o} has {v}.",
            "The letters on the {e} are too blurry to read.",
        ),
    ),
    "spatial": Wordings(
        affirm=(
            "You'll find the {e} {v.mid} the {f}.",
            "Looking at the {f}, there's the {e} {v.mid} it.",
            "From the image: {e} {v.mid} the {f}.",
            "{v.mid} the {f} we see the {e}.",
            "**Layout**\n- {e}: {v.mid} the {f}",
            "The {e}'s position is {v.mid} the {f}.",
        ),
        deny=(
            "The {e} is {w.mid} the {f}, not {v.mid} it.",
            "It's the {o} that is {v.mid} the {f}; the {e} is {w.mid} it.",
            "I wouldn't put the {e} {v.mid} the {f}: it's {w.mid} it.",
            "The {f} is {v.mid} the {e}, not the other way round.",
        ),
        clause=("the {e} can be found {v.mid} the {f}", "{v.mid} the {f} there is the {e}"),
        unsettled=(
            "I need to find out where the {e} is.",
            "Where is the {e}, {v.mid} the {f} or {w.mid} it?",
            "The {e} and the {f} are both in the picture.",
        ),
    ),
    "existence": Wordings(
        affirm=(
            "Looking at the image, I spot a {e}.",
            "A {e} is part of the scene.",
            "**Objects in the image**\n- {e}\n- {o}",
            "One of the things shown is a {e}.",
            "The {e} in the picture catches the eye.",
            "There's a {e} next to a {o}.",
        ),
        deny=(
            "There isn't a {e} anywhere.",
            "The image has no {e} in it.",
            "What's missing from the scene is a {e}.",
            "Not a single {e} to be seen.",
        ),
        clause=("a {e} is in the picture", "the scene has a {e} in it"),
        unsettled=(
            "I'm looking for a {e}.",
            "Is that a {e} or a {o}? Too blurry to say.",
            "Does the scene have a {e}, or is that out of view?",
        ),
    ),
}


UNCOMMITTED: tuple[str, ...] = (
    "I still have to find out whether {c}.",
    "What if {c}? Then I could go on.",
    "I can't make out whether {c} or {d}.",
    "A friend claims that {c}; I haven't checked it.",
    'The question was: "Is it correct that {c}?"',
    "Two cases to consider:\n1. {c}\n2. {d}",
    "Let me check if {c}.",
    "Say {c}, just for the sake of argument.",
    "One answer option reads “{c}”, another one “{d}”.",
    "It might look as if {c}, but I wouldn't rely on that.",
)
