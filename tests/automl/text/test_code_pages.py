import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from automl.text.code_pages import guess_code_page

WORDS = {
    "chinese": "玫瑰 郁金香 向日葵 蒲公英 狗 猫 汽车 飞机 不良品 合格 裂纹 划痕 测试 训练 苹果 健康",
    "traditional": "玫瑰 鬱金香 向日葵 貓咪 汽車 飛機 不良品 裂紋 測試 訓練 蘋果 鳥類 葉子 開門 紅色",
    "japanese": "バラ チューリップ ひまわり 犬 猫 良品 不良品 キズ 汚れ りんご テスト 学習 異常 ねこ",
    "korean": "장미 튤립 해바라기 고양이 강아지 불량 정상 자동차 사과 바나나 테스트 학습 균열 오염 나무 꽃",
    "russian": "роза тюльпан подсолнух кошка собака брак годные трещина яблоко самолёт Тест Обучение машина",
    "greek": "τριαντάφυλλο τουλίπα γάτα σκύλος μήλο αυτοκίνητο φύλλο ελιά πορτοκάλι λεμόνι",
    "german": "Löwenzahn Gänseblümchen Füße Bär Äpfel Schlüssel größe Straße Blätter Mädchen grün",
    "french": "pâquerette chêne érable bœuf hêtre bouleau fenêtre façade carré régulière défaut",
    "czech": "růže tulipán pampeliška kočka pes vadný dobrý kůň žába slunečnice list škrábanec čistý",
    "hebrew": "ורד צבעוני חתול כלב מכונית תפוח בננה עלה פרח שבור תקין",
    "arabic": "وردة زنبق قطة كلب سيارة تفاحة موز ورقة زهرة سليم تالف",
    "thai": "กุหลาบ ทิวลิป แมว สุนัข รถยนต์ แอปเปิล กล้วย ใบไม้ ดอกไม้",
}
CODE_PAGES = (
    *(("chinese", "gbk"), ("traditional", "big5"), ("japanese", "cp932"), ("japanese", "euc_jp"), ("korean", "euc_kr")),
    *(("russian", "cp866"), ("russian", "cp1251"), ("russian", "koi8-r"), ("greek", "cp737"), ("greek", "cp1253")),
    *(("german", "cp437"), ("german", "cp850"), ("german", "cp1252"), ("czech", "cp852"), ("czech", "cp1250")),
    *(("french", "cp1252"), ("hebrew", "cp862"), ("hebrew", "cp1255"), ("arabic", "cp1256"), ("thai", "cp874")),
    *((language, "utf-8") for language in WORDS),
)
every_code_page = pytest.mark.parametrize(("language", "codec"), CODE_PAGES)


def foreign(words: list[str], codec: str) -> list[bytes]:
    return [raw for word in words if not (raw := f"{word}/1.jpg".encode(codec, "ignore")).isascii()]


@every_code_page
def test_ten_names_tell_their_code_page_for_certain(language: str, codec: str) -> None:
    names = foreign(WORDS[language].split(), codec)
    guess = guess_code_page(names)
    assert [name.decode(guess.codec) for name in names] == [name.decode(codec) for name in names]
    assert guess.is_sure


@every_code_page
@given(data=st.data())
@hypothesis_settings(deadline=None, max_examples=60, database=None, derandomize=True)
def test_any_names_come_back_as_they_were_written_or_it_cannot_be_told(
    language: str, codec: str, data: st.DataObject
) -> None:
    word = st.sampled_from(WORDS[language].split())
    names = data.draw(
        st.lists(st.builds("{}{}{}".format, word, st.sampled_from(["", " ", "_", "2"]), word), min_size=1)
    )
    raw = foreign(names, codec)
    if not raw:
        return
    guess = guess_code_page(raw)
    assert not guess.is_sure or [one.decode(guess.codec) for one in raw] == [one.decode(codec) for one in raw]


@pytest.mark.parametrize(
    "raw", ["犬".encode("cp932"), "é".encode("mac_roman"), b"\x80", b"\xff\xff", bytes(range(128, 256))]
)
def test_too_little_to_tell_is_not_sure(raw: bytes) -> None:
    assert not guess_code_page([raw]).is_sure


def test_the_same_letters_in_two_code_pages_are_no_doubt() -> None:
    assert guess_code_page(["Löwenzahn".encode("cp437"), "Gänseblümchen".encode("cp437")]).is_sure


def test_thousands_of_names_are_told_quickly() -> None:
    names = [f"玫瑰 ({i})/第{i}张照片.jpg".encode("gbk") for i in range(20_000)]
    assert guess_code_page(names).codec == "gbk"
