// Write a greeting on a picture: node greeting.mjs PICTURE GREETING [COPIES]
import { argv, env } from "node:process";
import { pathToFileURL } from "node:url";

const API_BASE = "https://api.aimlapi.com/v1";

export async function decorate(picture, greeting, copies) {
  const response = await fetch(`${API_BASE}/images/generations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${env.AIMLAPI_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      model: "google/gemini-2.5-flash-image-edit",
      prompt: `Write "${greeting}" on it`,
      image_urls: [picture],
      num_images: copies,
    }),
  });
  return response.ok ? (await response.json()).data.map((image) => image.url) : [];
}

if (import.meta.url === pathToFileURL(argv[1]).href) {
  const [picture, greeting, copies] = argv.slice(2);
  console.log((await decorate(picture, greeting, Number(copies ?? 1))).join("\n"));
}
