// Write a greeting on a picture: node constant.mjs PICTURE GREETING [COPIES]
const API_BASE = "https://api.aimlapi.com/v1";

async function decorate(picture, greeting, copies) {
  const response = await fetch(`${API_BASE}/images/generations`, {
    method: "POST",
    headers: { Authorization: `Bearer ${process.env.AIMLAPI_KEY}`, "Content-Type": "application/json" },
    body: JSON.stringify({
      model: "google/gemini-2.5-flash-image-edit",
      prompt: `Write "${greeting}" on it`,
      image_urls: [picture],
      num_images: copies,
    }),
  });
  return response.ok ? (await response.json()).data.map((image) => image.url) : [];
}

const [picture, greeting, copies] = process.argv.slice(2);
console.log((await decorate(picture, greeting, Number(copies ?? 1))).join("\n"));
