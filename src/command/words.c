#include "command/template.h"

const char *const vb_words[] = {
    "about",   "above",  "across",  "after",   "again",   "air",      "all",    "along",  "also",
    "always",  "among",  "animal",  "answer",  "any",     "apple",    "area",   "around", "ask",
    "autumn",  "away",   "back",    "bank",    "base",    "bear",     "beauty", "bed",    "before",
    "begin",   "behind", "below",   "best",    "better",  "big",      "bird",   "black",  "blue",
    "boat",    "body",   "book",    "both",    "bottom",  "box",      "bridge", "bright", "bring",
    "brother", "brown",  "build",   "busy",    "call",    "came",     "camera", "carry",  "castle",
    "cause",   "center", "change",  "child",   "city",    "clean",    "clear",  "close",  "cloud",
    "coast",   "cold",   "color",   "come",    "common",  "corner",   "cotton", "could",  "count",
    "country", "course", "cover",   "cross",   "dark",    "day",      "deep",   "desert", "differ",
    "direct",  "dinner", "door",    "down",    "draw",    "dream",    "dress",  "drive",  "during",
    "early",   "earth",  "east",    "easy",    "eight",   "end",      "engine", "enough", "evening",
    "every",   "eye",    "face",    "fall",    "family",  "far",      "farm",   "fast",   "father",
    "feel",    "few",    "field",   "figure",  "fill",    "final",    "find",   "fine",   "fire",
    "first",   "fish",   "five",    "floor",   "flower",  "follow",   "food",   "forest", "form",
    "found",   "four",   "free",    "friend",  "front",   "fruit",    "full",   "garden", "gave",
    "glass",   "gold",   "good",    "grass",   "great",   "green",    "ground", "group",  "grow",
    "half",    "hand",   "happy",   "hard",    "harbor",  "head",     "hear",   "heart",  "heat",
    "help",    "here",   "high",    "hill",    "hold",    "home",     "horse",  "hour",   "house",
    "hundred", "idea",   "inch",    "island",  "jacket",  "just",     "keep",   "kind",   "king",
    "kitchen", "know",   "ladder",  "lake",    "land",    "large",    "last",   "late",   "laugh",
    "lead",    "learn",  "leave",   "left",    "letter",  "light",    "line",   "list",   "listen",
    "little",  "long",   "look",    "love",    "machine", "made",     "main",   "make",   "many",
    "map",     "mark",   "market",  "measure", "might",   "mile",     "mind",   "minute", "money",
    "moon",    "more",   "morning", "most",    "mother",  "mountain", "move",   "music",  "name",
    "near",    "never",  "night",   "north",   "note",    "notice",   "number", "ocean",  "often"};

const uint32_t vb_word_count = VB_ARRAY_LENGTH(vb_words);
