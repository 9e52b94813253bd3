import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

// Assets are named by what is in them, so that browsers may keep them for good.
export default defineConfig({
  plugins: [react()],
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: { polyfill: false } },
});
