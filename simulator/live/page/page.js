// What the pages of the lab have in common: words in their language, and elements.
"use strict";

const LABELS = JSON.parse(document.getElementById("labels").textContent);
const LANG = document.documentElement.lang.replace("-", "_");
const $ = (id) => document.getElementById(id);
const t = (text, values = {}) => (LABELS[text] || text).replace(/\{(\w+)\}/g, (_, name) => values[name]);

function el(tag, attributes = {}, ...children) {
	const node = document.createElement(tag);
	for (const [name, value] of Object.entries(attributes)) {
		if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
		else if (value !== false && value !== undefined) node.setAttribute(name, value === true ? "" : value);
	}
	node.append(...children.flat().filter((child) => child !== "" && child !== undefined && child !== false));
	return node;
}
