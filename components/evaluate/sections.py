"""The sections of the report, each a Jinja2 template over the evaluation's facts."""

from typing import Final

CHAMPION: Final = """
<p>Of {{ examples|count }} test examples this model gets
<strong>{{ champion.gained|count }}</strong> right that version {{ champion.version }}
got wrong, and <strong>{{ champion.lost|count }}</strong> wrong that it got right.</p>
<p class="soft">Two equally good models would differ by this much or more
{% if champion.chance < 0.001 %}in less than one of 1,000 test sets{% else %}in
{{ champion.chance|percent }} of test sets{% endif %} (exact sign test on the examples that only
one of the two gets right){% if champion.chance < 0.05 %}.{% else %}: the difference may be
luck.{% endif %}</p>
"""

CURVES: Final = """
{% if epochs %}
<div class="plots">
{% for name in ("loss", "accuracy") %}
<figure role="img" aria-label="{{ name|capitalize }} over {{ epochs|length }} epochs; the last: \
training {{ "%.4f"|format(epochs[-1][name]) }}\
{% if epochs[-1].get("validation_" ~ name) is not none %}, \
validation {{ "%.4f"|format(epochs[-1]["validation_" ~ name]) }}{% endif %}">
{{ plots[name]|safe }}</figure>
{% endfor %}
</div>
<details><summary>Every epoch in figures</summary>
<table>
<thead><tr><th scope="col" class="left">Epoch</th><th scope="col">Loss</th>
<th scope="col">Accuracy</th><th scope="col">Validation loss</th>
<th scope="col">Validation accuracy</th><th scope="col" class="narrow">Learning rate</th>
<th scope="col" class="narrow">Time</th></tr></thead>
<tbody>
{% for epoch in epochs %}
<tr><th scope="row">{{ epoch.epoch }}</th><td>{{ epoch.loss|figure }}</td>
<td>{{ epoch.accuracy|figure }}</td><td>{{ epoch.validation_loss|figure }}</td>
<td>{{ epoch.validation_accuracy|figure }}</td>
<td class="narrow">{{ epoch.learning_rate|figure }}</td>
<td class="narrow">{{ "%.1f"|format(epoch.seconds) }} s</td></tr>
{% endfor %}
</tbody>
</table></details>
{% else %}
<p class="soft">The training recorded no epochs.</p>
{% endif %}
"""

CLASSES: Final = """
{% from "macros" import bar %}
{% set most = per_class|map(attribute="recall")|map("missed")|max %}
<table class="classes">
<caption>Precision: of what is predicted as the class, the share that is. Recall: of what is the \
class, the share that is recognised; the rest is missed.</caption>
<thead><tr><th scope="col" class="left">Class</th><th scope="col">Precision</th>
<th scope="col" class="narrow">Recall</th><th scope="col">F1</th>
{% if champion and not champion.same %}
<th scope="col">F1 vs. champion</th>
{% endif %}
<th scope="col" class="narrow">Examples</th><th scope="col">Missed</th></tr></thead>
<tbody>
{% for entry in per_class %}
<tr><th scope="row">{{ entry.class }}</th><td>{{ "%.3f"|format(entry.precision) }}</td>
<td class="narrow">{{ "%.3f"|format(entry.recall) }}</td><td>{{ "%.3f"|format(entry.f1) }}</td>
{% if champion and not champion.same %}
<td>{{ "%+.3f"|format(entry.f1 - champion.per_class_f1[loop.index0]) }}</td>
{% endif %}
<td class="narrow">{{ entry.support|count }}</td>
<td>{{ entry.recall|missed|percent }}{{ bar(entry.recall|missed / most if most else 0) }}</td></tr>
{% endfor %}
</tbody>
</table>
"""

MATRIX: Final = """
<table class="matrix">
<caption>Test examples by their true class (rows) and the predicted one (columns).</caption>
<colgroup><col><col span="10"></colgroup>
<thead><tr><td>true \\ predicted</td>
{% for name in class_names %}
<th scope="col"><span>{{ name }}</span></th>
{% endfor %}
</tr></thead>
<tbody>
{% for row in matrix_rows %}
<tr><th scope="row">{{ row.name }}</th>
{% for cell in row.cells %}
<td class="{{ "right" if cell.right else ("" if cell.count else "none") }}" \
style="--opacity:{{ cell.opacity }}">{{ cell.count }}</td>
{% endfor %}
</tr>
{% endfor %}
</tbody>
</table>
"""

CONFUSED: Final = """
{% from "macros" import picture %}
{% macro strip(examples) %}
<div class="strip">
{% for example in examples %}
<figure>{{ picture(example, pictures, class_names) }}
<figcaption>{{ example.probability|percent(0) }}</figcaption></figure>
{% endfor %}
</div>
{% endmacro %}
{% if confused %}
<p class="soft">The pairs of classes that are most often taken for each other, with the surest
examples of each kind. Below a picture: how sure the model was.</p>
{% for pair in confused %}
<h3>{{ class_names[pair.sides[0].label] }} and {{ class_names[pair.sides[1].label] }}:
{{ pair.count|count }} mistake{{ "" if pair.count == 1 else "s" }}</h3>
<div class="sides">
{% for side in pair.sides %}
{% set label, predicted = class_names[side.label], class_names[side.predicted] %}
<div>
{% if side.recognised %}
<p><strong>{{ label }}</strong>, recognised</p>{{ strip(side.recognised) }}
{% else %}
<p><strong>{{ label }}</strong> is never recognised.</p>
{% endif %}
{% if side.mistaken %}
<p><strong>{{ label }}</strong>, taken for <b>{{ predicted }}</b>: {{ side.count|count }}
({{ side.share|percent }})</p>{{ strip(side.mistaken) }}
{% else %}
<p><strong>{{ label }}</strong> is never taken for {{ predicted }}.</p>
{% endif %}
</div>
{% endfor %}
</div>
{% endfor %}
{% else %}
<p>No class is taken for another one.</p>
{% endif %}
"""

MISTAKES: Final = """
{% from "macros" import picture %}
{% if mistakes %}
<p class="soft">{{ mistakes|length }} of {{ (examples - correct)|count }} wrong predictions, \
the surest first: the true class, and in colour what the model said and how sure it was.</p>
<div class="mistakes">
{% for mistake in mistakes %}
<figure>{{ picture(mistake, pictures, class_names) }}
<figcaption>{{ class_names[mistake.label] }}<br><b>{{ class_names[mistake.predicted] }}</b>
{{ mistake.probability|percent }}<br><small>true class {{ mistake.label_probability|percent }}\
</small></figcaption></figure>
{% endfor %}
</div>
{% else %}
<p>There are none: every test example is classified correctly.</p>
{% endif %}
"""

CALIBRATION: Final = """
{% from "macros" import bar %}
<p>On average the model is {{ confidence|percent }} sure of its answer, and
{{ accuracy|percent }} of the answers are right: {% if confidence - accuracy > 0.01 %}
it is too sure of itself{% elif accuracy - confidence > 0.01 %}it could be surer of itself\
{% else %}as it should be{% endif %}.</p>
<p class="soft">Of the answers given with 80 to 90{{ thin }}% confidence, 80 to 90{{ thin }}%
should be right, and so on: then the bars end on the diagonal. Above it a model is too modest, below
it too sure. The expected calibration error is the mean distance, each example counting the same:
<strong>{{ calibration_error|percent }}</strong>.</p>
<div class="plots">
<figure role="img" aria-label="Accuracy over confidence in ten bins; the table has the values">
{{ plots.calibration|safe }}</figure>
<table>
<thead><tr><th scope="col" class="left">Confidence</th><th scope="col">Mean</th>
<th scope="col">Accuracy</th><th scope="col">Examples</th></tr></thead>
<tbody>
{% for bin in calibration if bin.examples %}
<tr><th scope="row">{{ "%.1f"|format(bin.low) }} to {{ "%.1f"|format(bin.high) }}</th>
<td>{{ "%.3f"|format(bin.confidence) }}</td><td>{{ "%.3f"|format(bin.accuracy) }}</td>
<td>{{ bin.examples|count }}{{ bar(bin.examples / examples) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
"""

LISTS: Final = """
{% from "macros" import values %}
{% for title, rows in lists %}
{% if title %}
<h3>{{ title }}</h3>
{% endif %}
{{ values(rows) }}
{% endfor %}
"""
