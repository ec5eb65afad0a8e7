"use strict";
const LARGE = 1e6;        // Bytes of a file above which the browser reduces the picture first.
const LONGEST = 1024;     // Pixels of the longest edge of a picture that was reduced.
const SMALL = 64;         // Pixels of the longest edge of a picture whose pixels are shown as squares.
const WORTH_A_BAR = 0.01; // Classes with less are folded away, but for the first three.
const MOST_BARS = 10;
const $ = id => document.getElementById(id);
const percent = value => `${(100 * value).toFixed(1)} %`;
let about = null;
let queue = Promise.resolve();

function element(tag, text = "", properties = {}) {
  return Object.assign(document.createElement(tag), { textContent: text, ...properties });
}

async function start() {
  const answer = await fetch("about");
  if (answer.status === 503) return setTimeout(start, 1000);  // The model is still loading.
  about = await answer.json();
  const facts = [about.title];
  if (about.accuracy != null) facts.push(`right on ${percent(about.accuracy)} of the test set`);
  $("about").textContent = facts.join(" · ");
  $("advice").textContent = advice();
  document.body.classList.toggle("crisp", Math.max(...about.shape) <= SMALL);
  $("curl").textContent = "{ printf '{\"instances\": [{\"image_bytes\": {\"b64\": \"'; "
    + "base64 < photo.jpg | tr -d '\\n'; printf '\"}}]}'; } | curl --data-binary @- "
    + `--header 'Content-Type: application/json' ${address()}`;
  for (const [index, sample] of about.samples.entries()) show(sample, index + 1);
  document.querySelector(".examples").hidden = !about.samples.length;
  $("hard").hidden = !about.samples.some(sample => sample.hard);
}

// Relative, so that the page works behind a proxy that puts a folder in front.
const address = () => new URL(about.predict.replace(/^\//, ""), document.baseURI).href;

const advice = () => `The model expects ${about.expected}.`;

function show(sample, number) {
  const source = `data:image/png;base64,${sample.png}`;
  const image = element("img", "", { src: source, className: "pixels", alt: "" });
  const button = element("button", "", { type: "button", title: sample.label });
  button.setAttribute("aria-label", `${sample.label}, picture ${number}`);
  button.append(image);
  button.addEventListener("click", () => {
    ask([{ name: `Test picture ${number}`, label: sample.label, base64: sample.png, source }]);
  });
  const item = element("li");
  item.append(button);
  $("samples").append(item);
}

function askFiles(files, otherwise) {
  notify(files.length ? "" : otherwise);
  ask(Array.from(files, file => ({ name: file.name || "Pasted picture", file })));
}

function ask(pictures) {
  const cards = pictures.map(picture => ({ ...picture, card: makeCard(picture) }));
  $("answers").prepend(...cards.map(picture => picture.card));
  $("empty").hidden = $("answers").childElementCount > 0;
  $("clear").hidden = !$("empty").hidden;
  if (cards.length) {
    const box = document.querySelector(".out").getBoundingClientRect();
    if (box.top < 0 || box.top > innerHeight / 2) document.querySelector(".out").scrollIntoView();
  }
  for (const picture of cards) queue = queue.then(() => answer(picture));
}

function makeCard(picture) {
  const card = $("card").content.cloneNode(true).firstElementChild;
  card.querySelector("h3").textContent = picture.name;
  const image = card.querySelector("img");
  if (picture.label) {
    image.classList.add("pixels");
    card.querySelector("figcaption").textContent = "What the network sees";
    image.alt = "The picture";
  }
  image.addEventListener("error", () => {
    image.replaceWith(element("div", "The browser cannot show this kind of file",
      { className: "missing" }));
  });
  if (picture.source) image.src = picture.source;
  return card;
}

async function answer(picture) {
  const { card } = picture;
  let heard;
  try {
    const bytes = picture.base64 ?? await base64(await reduced(picture.file, card));
    // A picture of the test set is what the network sees, and old models do not say what they see.
    const shows = picture.file && about.signatures.includes("prepare");
    const seen = shows ? await post(bytes, "prepare") : null;
    const reply = await post(bytes, "serving_bytes");
    if (seen) draw(card, seen);
    heard = showReply(card, reply, picture.label);
  } catch (error) {
    heard = showReplyLines(card, "failed", "This picture got no answer", error.message);
  }
  card.removeAttribute("aria-busy");
  $("spoken").textContent = `${picture.name}: ${heard}`;
}

async function post(bytes, signature) {
  let response;
  try {
    response = await fetch(address(), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ signature_name: signature,
        instances: [{ image_bytes: { b64: bytes } }] }),
    });
  } catch {
    throw new Error("The server does not answer. Is it still running?");
  }
  const body = await response.json().catch(() => ({}));
  if (response.ok) return body.predictions[0];
  const line = (body.error ?? `The server answered ${response.status}.`).replace(/^instance 0: /, "");
  throw new Error(line);
}

// A large photo as a smaller one, upright, and a HEIC photo as a JPEG where the browser reads it.
async function reduced(file, card) {
  let picture = file;
  const heic = /hei[cf]/i.test(`${file.type} ${file.name}`);
  if (heic || file.size > LARGE) {
    const bitmap = await createImageBitmap(file).catch(() => null);
    const scale = bitmap ? Math.min(1, LONGEST / Math.max(bitmap.width, bitmap.height)) : 1;
    if (bitmap && (heic || scale < 1)) {
      const canvas = element("canvas", "", { width: Math.max(1, Math.round(bitmap.width * scale)),
        height: Math.max(1, Math.round(bitmap.height * scale)) });
      const context = canvas.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
      const kind = heic || file.type === "image/jpeg" ? "image/jpeg" : "image/png";
      picture = await new Promise(done => canvas.toBlob(done, kind, 0.95));
    }
    bitmap?.close();
  }
  const image = card.querySelector("img");
  image.src = URL.createObjectURL(picture);
  return picture;
}

async function base64(blob) {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(reader.result.slice(reader.result.indexOf(",") + 1));
    reader.onerror = () => failed(new Error("The browser cannot read it. Is it a folder?"));
    reader.readAsDataURL(blob);
  });
}

function draw(card, rows) {
  const canvas = card.querySelector("canvas");
  [canvas.width, canvas.height] = [rows[0].length, rows.length];
  const context = canvas.getContext("2d");
  const pixels = context.createImageData(canvas.width, canvas.height);
  rows.flat().forEach((pixel, index) => {
    const colour = Array.isArray(pixel) ? pixel : [pixel, pixel, pixel];
    pixels.data.set([...colour, 255], 4 * index);
  });
  context.putImageData(pixels, 0, 0);
  canvas.parentElement.hidden = false;
}

function showReply(card, reply, label) {
  if (reply.class_id === -1) {
    return showReplyLines(card, "unsure", "Nothing found",
      "No subject stands out from the background, or all of it is black.");
  }
  const ranking = reply.probabilities.map((share, index) => ({ share, name: about.labels[index] }));
  ranking.sort((one, other) => other.share - one.share);
  const [top] = ranking;
  const sure = top.share >= about.sure_from;
  let heard = sure ? showReplyLines(card, "sure", top.name) + `, ${percent(top.share)}`
    : showReplyLines(card, "unsure", "Not sure",
      `Most likely ${top.name}, ${percent(top.share)}. ${advice()}`);
  const box = card.querySelector(".reply");
  if (label) {
    const right = top.name === label;
    const text = `${right ? "✓" : "✗"} The test set says ${label}.`;
    box.append(element("p", text, { className: right ? "right" : "wrong" }));
    heard += `. The test set says ${label}`;
  }
  const worthy = ranking.filter(one => one.share >= WORTH_A_BAR).length;
  const many = Math.min(MOST_BARS, Math.max(3, worthy));
  box.append(bars(ranking.slice(0, many), "Probabilities"));
  const rest = ranking.slice(many);
  if (rest.length) {
    const details = element("details");
    details.append(element("summary", "Other classes"), bars(rest, "Other probabilities"));
    box.append(details);
  }
  return heard;
}

function showReplyLines(card, kind, verdict, ...lines) {
  card.classList.add(kind);
  const texts = lines.map(line => element("p", line));
  const head = element("p", verdict, { className: "verdict" });
  card.querySelector(".reply").replaceChildren(head, ...texts);
  return [verdict, ...lines].join(". ");
}

function bars(ranking, name) {
  const list = element("ul", "", { className: "bars" });
  list.setAttribute("aria-label", name);
  for (const { name: title, share } of ranking) {
    const item = element("li");
    const bar = element("i");
    bar.style.setProperty("--share", `${100 * share}%`);
    item.append(element("span", title), element("span", percent(share)), bar);
    list.append(item);
  }
  return list;
}

function notify(text) {
  $("notice").textContent = text;
  $("notice").hidden = !text;
}

async function openCamera() {
  notify("");
  try {
    const size = { width: { ideal: 1280 }, height: { ideal: 960 } };
    $("video").srcObject = await navigator.mediaDevices.getUserMedia(
      { video: { facingMode: "environment", ...size } });
    $("booth").showModal();
  } catch (error) {
    const refused = error.name === "NotAllowedError";
    notify(refused ? "The browser was not allowed to use the camera." : "No camera was found.");
  }
}

function shoot() {
  const video = $("video");
  if (!video.videoWidth) return;
  const canvas = element("canvas", "", { width: video.videoWidth, height: video.videoHeight });
  canvas.getContext("2d").drawImage(video, 0, 0);
  $("booth").close();
  canvas.toBlob(blob => askFiles([new File([blob], "Camera picture")]), "image/png");
}

function chooseWith(input) {
  input.addEventListener("change", () => {
    askFiles([...input.files]);
    input.value = "";  // So that the same file can be chosen again.
  });
  return () => input.click();
}

function dropAndPaste() {
  let depth = 0;
  const over = change => {
    depth = change ? Math.max(0, depth + change) : 0;
    document.body.classList.toggle("over", depth > 0);
  };
  addEventListener("dragenter", () => over(1));
  addEventListener("dragleave", () => over(-1));
  addEventListener("dragover", event => event.preventDefault());
  addEventListener("drop", event => {
    event.preventDefault();
    over(0);
    askFiles(event.dataTransfer.files, "That was no file. Save the picture first, then drop it.");
  });
  addEventListener("paste", event => {
    askFiles(event.clipboardData.files, "There is no picture in the clipboard.");
  });
}

async function copy() {
  const text = $("curl").textContent;
  try {
    await navigator.clipboard.writeText(text);
    $("copy").textContent = "Copied";
    $("spoken").textContent = "Copied";
    setTimeout(() => { $("copy").textContent = "Copy"; }, 2000);
  } catch {
    getSelection().selectAllChildren($("curl"));  // The clipboard needs HTTPS or localhost.
  }
}

const camera = Boolean(navigator.mediaDevices?.getUserMedia);
const capture = chooseWith($("capture"));
$("choose").addEventListener("click", chooseWith($("files")));
$("camera").hidden = !camera && !matchMedia("(pointer: coarse)").matches;
$("camera").addEventListener("click", camera ? openCamera : capture);
$("shoot").addEventListener("click", shoot);
$("leave").addEventListener("click", () => $("booth").close());
$("booth").addEventListener("close", () => {
  for (const track of $("video").srcObject.getTracks()) track.stop();
});
$("copy").addEventListener("click", copy);
$("clear").addEventListener("click", () => {
  for (const image of document.querySelectorAll("article img")) URL.revokeObjectURL(image.src);
  $("answers").replaceChildren();
  ask([]);
  $("out").focus();
});
dropAndPaste();
start().catch(() => notify("The server does not answer. Is it still running?"));
