"use strict";

const byId = (id) => document.getElementById(id);

// Status

function element(name, text) {
  const e = document.createElement(name);
  e.textContent = text;
  return e;
}

function row(...cells) {
  const tr = document.createElement("tr");
  tr.append(...cells.map((text) => element("td", text)));
  return tr;
}

function duration(seconds) {
  const days = Math.floor(seconds / 86400);
  const hours = Math.floor(seconds / 3600) % 24;
  const minutes = Math.floor(seconds / 60) % 60;
  return days ? `${days} d ${hours} h` : hours ? `${hours} h ${minutes} min` : `${minutes} min`;
}

function gigabytes(bytes) {
  return (bytes / 1e9).toFixed(1) + " GB";
}

// A fact that the router can't tell has no key.
function facts(status) {
  const memory = status.memory;
  return [
    ["Model", status.model],
    ["Name", status.hostname],
    ["Kernel", status.kernel],
    ["Up", status.uptime_seconds && duration(status.uptime_seconds)],
    ["Load", status.load?.map((n) => n.toFixed(2)).join("  ")],
    ["Memory", memory && `${gigabytes(memory.available_bytes ?? 0)} of ${gigabytes(memory.total_bytes ?? 0)} free`],
    ["Services", status.services.join(", ")],
    ["Agent", status.agent_version],
  ].filter(([, value]) => value);
}

function showStatus(status) {
  byId("facts").replaceChildren(...facts(status).flatMap(([key, value]) => [element("dt", key), element("dd", value)]));
  byId("interfaces").replaceChildren(...(status.interfaces ?? []).map((i) => row(i.name, i.addresses.join(", "))));
  byId("clients").replaceChildren(...(status.clients ?? []).map((c) =>
    row(c.hostname ?? "", c.ip, c.mac ?? "", c.expires ? duration((new Date(c.expires) - new Date(status.time)) / 1000) : "no end")));
}

async function refresh() {
  try {
    showStatus(await (await fetch("status.json")).json());
    setTimeout(refresh, 3000);
  } catch {
    byId("result").textContent = "The router does not answer: has the demo ended?";
    setTimeout(refresh, 10000);
  }
}

// Speed

const size = 64 * 1024 * 1024;

// digest is the value of the header Content-Digest (RFC 9530).
async function digest(bytes) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return `sha-256=:${btoa(String.fromCharCode(...sum))}:`;
}

async function download() {
  const response = await fetch("data?bytes=" + size);
  const began = performance.now();
  const bytes = await response.arrayBuffer();
  const took = performance.now() - began;
  return { took, same: await digest(bytes) === response.headers.get("Content-Digest") };
}

async function upload() {
  const secret = document.querySelector("meta[name=secret]").content + "\n";
  const bytes = new TextEncoder().encode(secret.repeat(Math.ceil(size / secret.length)).slice(0, size));
  const sum = await digest(bytes);
  const began = performance.now();
  const response = await fetch("sink", { method: "POST", body: bytes, headers: { "Content-Digest": sum } });
  const took = performance.now() - began;
  return { took, same: response.ok && response.headers.get("Content-Digest") === sum };
}

async function measure(name, transfer) {
  const buttons = document.querySelectorAll("button");
  const result = byId("result");
  buttons.forEach((b) => { b.disabled = true; });
  result.textContent = `${name}…`;
  try {
    const { took, same } = await transfer();
    const rate = (size / 1e3 / took).toFixed(0);
    result.textContent = `${name}: ${rate} MB/s, checksums ${same ? "are the same" : "DIFFER"}.`;
  } catch (error) {
    result.textContent = `${name} failed: ${error.message}.`;
  }
  buttons.forEach((b) => { b.disabled = false; });
}

byId("download").addEventListener("click", () => measure("Download", download));
byId("upload").addEventListener("click", () => measure("Upload", upload));
refresh();
