"""The rate that is asked for is the rate that is heard, in each language that is measured by sentences."""

from __future__ import annotations

import pytest

from metta_audio.speech.activity import articulation
from metta_audio.speech.calibration_text import calibration_text
from metta_audio.speech.voice import Setup, Utterance
from metta_audio.speech.words import word_ranges
from metta_audio.voices.espeak import EspeakEngine

ENGINE = EspeakEngine(Setup())

# None of it is in the calibration texts.
SENTENCES = {
    "cs": "Vnímej, jak se chodidla dotýkají podlahy a jak těžké jsou tvé ruce. Všimni si zvuků kolem sebe, blízkých "
    "i vzdálených, a nech je být. Kéž jsou všichni šťastní a zdraví. Pokud přijde smutek, i on je tu vítán.",
    "da": "Mærk, hvordan fødderne rører gulvet, og hvor tunge hænderne er. Læg mærke til lydene omkring dig, nær og "
    "fjern, og lad dem være. Må du være glad, må du være rask, må du leve i fred. Hvis der kommer sorg, er den også "
    "velkommen.",
    "de": "Spüre, wie deine Füße den Boden berühren und wie schwer deine Hände sind. Nimm die Geräusche um dich "
    "herum wahr, nah und fern, und lass sie da sein. Mögest du glücklich sein, mögest du gesund sein, mögest du in "
    "Frieden leben. Wenn Traurigkeit kommt, ist sie auch willkommen.",
    "el": "Νιώσε πώς τα πόδια ακουμπούν στο πάτωμα και πόσο βαριά είναι τα χέρια σου. Πρόσεξε τους ήχους γύρω σου, "
    "κοντά και μακριά, και άφησέ τους να υπάρχουν. Να είσαι ευτυχισμένος, να έχεις υγεία, να ζεις με ειρήνη. Αν "
    "έρθει λύπη, είναι κι αυτή ευπρόσδεκτη.",
    "es": "Siente cómo tus pies tocan el suelo y lo pesadas que están tus manos. Nota los sonidos a tu alrededor, "
    "cercanos y lejanos, y déjalos estar. Que seas feliz, que tengas salud, que vivas con tranquilidad. Si viene la "
    "tristeza, también es bienvenida.",
    "fi": "Tunne, miten jalkasi koskettavat lattiaa ja miten raskaat kätesi ovat. Huomaa äänet ympärilläsi, lähellä "
    "ja kaukana, ja anna niiden olla. Ole onnellinen, ole terve, elä rauhassa. Jos suru tulee, sekin on tervetullut.",
    "fr": "Sentez vos pieds qui touchent le sol et le poids de vos mains. Remarquez les sons autour de vous, "
    "proches et lointains, et laissez-les être là. Puissiez-vous être heureux, puissiez-vous vivre en paix. Si la "
    "tristesse arrive, elle est aussi la bienvenue.",
    "hi": "महसूस करें कि आपके पैर ज़मीन को छू रहे हैं और आपके हाथ कितने भारी हैं। अपने आसपास की आवाज़ों को सुनें, "
    "पास की और दूर की। आप सुखी रहें, आप स्वस्थ रहें, आप शांति से जिएँ। यदि दुख आए, तो उसका भी यहाँ स्वागत है।",
    "hu": "Érezd, ahogy a talpad a padlóhoz ér, és milyen nehéz a kezed. Figyeld meg a hangokat magad körül, közel "
    "és távol, és hagyd, hogy legyenek. Légy boldog, légy egészséges, élj békében. Ha szomorúság jön, az is "
    "szívesen látott vendég.",
    "it": "Senti come i piedi toccano il pavimento e quanto sono pesanti le mani. Nota i suoni intorno a te, vicini "
    "e lontani, e lasciali essere. Che tu possa essere felice, che tu possa stare bene. Se arriva la tristezza, "
    "anche lei è benvenuta.",
    "nb": "Kjenn hvordan føttene hviler mot gulvet og hvor tunge hendene er. Legg merke til lydene rundt deg, nær "
    "og fjern, og la dem være. Må du være glad, må du være frisk, må du leve i fred. Hvis det kommer sorg, er den "
    "også velkommen.",
    "nl": "Voel hoe je voeten de grond raken en hoe zwaar je handen zijn. Merk de geluiden om je heen op, dichtbij "
    "en ver weg, en laat ze er zijn. Moge je gelukkig zijn, moge je gezond zijn, moge je in vrede leven. Als er "
    "verdriet komt, is dat ook welkom.",
    "pl": "Poczuj, jak stopy dotykają podłogi i jak ciężkie są twoje dłonie. Zauważ dźwięki wokół siebie, bliskie i "
    "dalekie, i pozwól im być. Jeśli przychodzi smutek, on też jest mile widziany. Niech wszyscy będą zdrowi i "
    "szczęśliwi.",
    "pt": "Sinta como os pés tocam o chão e como as mãos estão pesadas. Note os sons à sua volta, próximos e "
    "distantes, e deixe-os estar. Que você seja feliz, que você tenha saúde, que você viva com tranquilidade. Se a "
    "tristeza vier, ela também é bem-vinda.",
    "ro": "Simte cum tălpile ating podeaua și cât de grele sunt mâinile. Observă sunetele din jur, aproape și "
    "departe, și lasă-le să fie. Să fii fericit, să fii sănătos, să trăiești în pace. Dacă vine tristețea, și ea "
    "este binevenită.",
    "ru": "Почувствуйте, как ваши стопы касаются пола и как тяжелы ваши руки. Заметьте звуки вокруг, близкие и "
    "далёкие, и позвольте им быть. Пусть все будут счастливы, пусть все будут здоровы. Если приходит печаль, ей "
    "тоже здесь рады.",
    "sv": "Känn hur fötterna vilar mot golvet och hur tunga händerna är. Lägg märke till ljuden omkring dig, nära "
    "och långt borta, och låt dem vara. Må du vara lycklig, må du vara frisk, må du leva i frid. Om det kommer sorg "
    "är den också välkommen.",
    "ta": "உங்கள் பாதங்கள் தரையைத் தொடுவதை உணருங்கள். உங்களைச் சுற்றியுள்ள ஒலிகளைக் கவனியுங்கள், அவை அப்படியே "
    "இருக்கட்டும். நீங்கள் மகிழ்ச்சியாக இருங்கள், அமைதியாக வாழுங்கள். சோகம் வந்தால், அதையும் வரவேற்போம்.",
    "tr": "Ayaklarının yere nasıl dokunduğunu ve ellerinin ne kadar ağır olduğunu hisset. Çevrendeki sesleri, "
    "yakındakileri ve uzaktakileri fark et ve oldukları gibi bırak. Mutlu ol, sağlıklı ol. Üzüntü gelirse o da "
    "burada hoş karşılanır.",
    "uk": "Відчуй, як стопи торкаються підлоги і які важкі твої руки. Поміть звуки навколо, близькі й далекі, і "
    "дозволь їм бути. Нехай усі будуть щасливі та здорові. Якщо приходить смуток, йому теж тут раді.",
}


@pytest.mark.parametrize("language", SENTENCES)
def test_other_sentences_of_a_practice_come_at_the_rate_that_is_asked_for(language: str) -> None:
    text = SENTENCES[language]
    assert not set(text.split(". ")) & set(calibration_text(language).split(". "))
    voice = ENGINE.open(language, language)
    for rate in (90, 110):
        heard = len(word_ranges(text)) * 60 / articulation(voice.speak(Utterance(text), rate).wave)
        assert heard == pytest.approx(rate, rel=0.08)


def test_a_language_by_another_name_says_the_same() -> None:
    assert calibration_text("no") == calibration_text("nb-no") != calibration_text("xx")
