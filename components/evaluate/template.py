"""The page of the report: a Jinja2 template; nothing is loaded from elsewhere."""

from typing import Final

from components.evaluate.style import STYLE

TEMPLATE: Final = (
    """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy"
 content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>FashionMNIST: accuracy {{ "%.4f"|format(accuracy) }}, \
{{ outcome }}</title>
<style>"""
    + STYLE
    + """</style>
</head>
<body>
<header>
<h1>FashionMNIST model evaluation</h1>
<p class="verdict {{ outcome|replace(" ", "-") }}">
<strong>{{ outcome|capitalize }}:</strong> {{ verdict.reason }}.</p>
<dl class="tiles">
<div><dt>Test accuracy</dt><dd>{{ accuracy|percent(2) }}
<small>{{ "{:,}".format(correct) }} of {{ "{:,}".format(examples) }}</small></dd></div>
{% if champion %}
<div><dt>Champion, version {{ champion.version }}</dt><dd>{{ champion.accuracy|percent(2) }}
<small>{% if champion.same %}the same model{% else %}\
{{ "{:+.2f}".format(100 * (accuracy - champion.accuracy)) }} points by this model\
{% endif %}</small></dd></div>
{% else %}
<div><dt>Champion</dt><dd>none<small>nothing to compare with</small></dd></div>
{% endif %}
<div><dt>Loss</dt><dd>{{ "%.4f"|format(loss) }}<small>mean cross-entropy{% if champion %}, \
champion {{ "%.4f"|format(champion.loss) }}{% endif %}</small></dd></div>
<div><dt>Macro F1</dt><dd>{{ "%.4f"|format(macro_f1) }}<small>mean over the classes\
{% if champion %}, champion {{ "%.4f"|format(champion.macro_f1) }}{% endif %}</small></dd></div>
</dl>
</header>
<main>
{% if champion and not champion.same %}
<section aria-labelledby="champion">
<h2 id="champion">Against the champion</h2>
<p>Of {{ "{:,}".format(examples) }} test examples this model gets
<strong>{{ "{:,}".format(champion.gained) }}</strong> right that version {{ champion.version }}
got wrong, and <strong>{{ "{:,}".format(champion.lost) }}</strong> wrong that it got right.</p>
</section>
{% endif %}
<section aria-labelledby="curves">
<h2 id="curves">Learning curves</h2>
{% if epochs %}
<div class="plots">
{% for name in ("loss", "accuracy") %}
<figure role="img" aria-label="{{ name|capitalize }} over {{ epochs|length }} epochs; the last: \
training {{ "%.4f"|format(epochs[-1][name]) }}\
{% if epochs[-1].get("validation_" ~ name) is not none %}, \
validation {{ "%.4f"|format(epochs[-1]["validation_" ~ name]) }}{% endif %}">
{{ plots[name] }}</figure>
{% endfor %}
</div>
{% else %}
<p class="soft">The training recorded no epochs.</p>
{% endif %}
</section>
<section aria-labelledby="classes">
<h2 id="classes">By class</h2>
<table>
<thead><tr><th scope="col" class="left">Class</th><th scope="col">Precision</th>
<th scope="col">Recall</th><th scope="col">F1</th>
{% if champion and not champion.same %}<th scope="col">F1 vs. champion</th>{% endif %}
<th scope="col" class="narrow">Examples</th></tr></thead>
<tbody>
{% for entry in per_class %}
<tr><th scope="row">{{ entry.class }}</th><td>{{ "%.3f"|format(entry.precision) }}</td>
<td>{{ "%.3f"|format(entry.recall) }}</td><td>{{ "%.3f"|format(entry.f1) }}</td>
{% if champion and not champion.same %}
<td>{{ "%+.3f"|format(entry.f1 - champion.per_class_f1[loop.index0]) }}</td>
{% endif %}
<td class="narrow">{{ "{:,}".format(entry.support) }}</td></tr>
{% endfor %}
</tbody>
</table>
</section>
<section aria-labelledby="matrix">
<h2 id="matrix">Confusion matrix</h2>
<table class="matrix">
<caption>Test examples by their true class (rows) and the predicted one (columns).</caption>
<colgroup><col><col span="10"></colgroup>
<thead><tr><td>true \\ predicted</td>
{% for name in class_names %}<th scope="col"><span>{{ name }}</span></th>{% endfor %}
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
{% if confused_names %}
<h3>Most confused</h3>
<table>
<thead><tr><th scope="col" class="left">True</th><th scope="col" class="left">Predicted</th>
<th scope="col">Examples</th><th scope="col">Of the class</th></tr></thead>
<tbody>
{% for pair in confused_names %}
<tr><th scope="row">{{ pair.label }}</th><td class="left">{{ pair.predicted }}</td>
<td>{{ "{:,}".format(pair.count) }}</td><td>{{ pair.share|percent }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endif %}
</section>
<section aria-labelledby="mistakes">
<h2 id="mistakes">Most confident mistakes</h2>
{% if mistake_cards %}
<p class="soft">{{ mistake_cards|length }} of {{ "{:,}".format(wrong) }} wrong predictions, \
the surest first: the true class, and in colour what the model said and how sure it was.</p>
<div class="mistakes">
{% for mistake in mistake_cards %}
<figure><img src="{{ mistake.uri }}" width="112" height="112" alt="Test example \
{{ mistake.index }}: labelled {{ mistake.label }}, predicted {{ mistake.predicted }}">
<figcaption>{{ mistake.label }}<br><b>{{ mistake.predicted }}</b>
{{ mistake.probability|percent }}<br><small>true class {{ mistake.label_probability|percent }}\
</small></figcaption></figure>
{% endfor %}
</div>
{% else %}
<p>There are none: every test example is classified correctly.</p>
{% endif %}
</section>
<section aria-labelledby="calibration">
<h2 id="calibration">Calibration</h2>
<p>Confidence and accuracy differ by {{ calibration_error|percent }} on average \
(expected calibration error).</p>
<div class="plots">
<figure role="img" aria-label="Accuracy over confidence in ten bins; the table has the values">
{{ plots.calibration }}</figure>
<table>
<thead><tr><th scope="col" class="left">Confidence</th><th scope="col">Mean</th>
<th scope="col">Accuracy</th><th scope="col">Examples</th></tr></thead>
<tbody>
{% for bin in calibration if bin.examples %}
<tr><th scope="row">{{ "%.1f"|format(bin.low) }} to {{ "%.1f"|format(bin.high) }}</th>
<td>{{ "%.3f"|format(bin.confidence) }}</td><td>{{ "%.3f"|format(bin.accuracy) }}</td>
<td>{{ "{:,}".format(bin.examples) }}</td></tr>
{% endfor %}
</tbody>
</table>
</div>
</section>
<section aria-labelledby="provenance">
<h2 id="provenance">Provenance</h2>
{% for title, rows in provenance %}
<h3>{{ title }}</h3>
<table class="values">
<tbody>
{% for name, value in rows %}
<tr><th scope="row">{{ name }}</th><td>{{ value }}</td></tr>
{% endfor %}
</tbody>
</table>
{% endfor %}
</section>
</main>
</body>
</html>
"""
)
